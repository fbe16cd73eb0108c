"""The picture of the lineage in the README, while `make ui` runs:

python -m hris_pipeline_tests.end_to_end.screenshot docs/lineage.png
"""

import argparse
import time
from pathlib import Path

from hris_pipeline_tests.end_to_end import chromium


def main() -> None:
    """Open the lineage with all its groups, and take its picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:3000")
    arguments = parser.parse_args()
    with chromium.opened(f"{arguments.url}/asset-groups", width=1700, height=1050) as page:
        page.wait_for("Materialize all")
        time.sleep(3)
        # expand all groups; the page remembers it, and fits its view when it is loaded
        page.press("e", alt=True)
        time.sleep(2)
        page.call("Page.reload")
        time.sleep(2)
        page.wait_for("applied_changes")
        time.sleep(5)
        page.picture(arguments.file)


if __name__ == "__main__":
    main()

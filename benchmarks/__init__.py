"""What the pipeline costs, measured against things that anybody can run. See README.md; nothing
here is part of the tests.
"""

import json
import resource
from typing import Any


def tell(seconds: float, import_seconds: float, **more: Any) -> None:
    """Print what a process measured, as one line of JSON: seconds of work, seconds of imports, its
    peak memory, and the rest.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {
        "seconds": round(seconds, 3),
        "import_seconds": round(import_seconds, 3),
        "peak_mb": round(peak),
    }
    print(json.dumps({**told, **more}), flush=True)

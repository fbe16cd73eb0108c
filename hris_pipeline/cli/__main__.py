"""``python -m hris_pipeline.cli``."""

from hris_pipeline.cli import main

main()

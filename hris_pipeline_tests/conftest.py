"""For all tests: this folder is importable, so that those of the core share ``plan/world.py``."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

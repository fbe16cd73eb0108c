"""What waits for a person to decide: who, why, which users come into question, and the commands
that decide it.

And what the HR department is to correct: records that are held back, and records that contradict
themselves.
"""

from hris_pipeline.presentation.review.documents import as_csv, as_json
from hris_pipeline.presentation.review.terminal import show

__all__ = ["as_csv", "as_json", "show"]

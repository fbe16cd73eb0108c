"""What a company's jobs are called: the assets ask which one they run in, and so know nothing of
the jobs themselves.
"""


def nightly_job(company: str) -> str:
    """The job that is a night."""
    return f"{company}_nightly"


def dry_run_job(company: str) -> str:
    """The job that ends with the plan."""
    return f"{company}_dry_run"


def changes_job(company: str) -> str:
    """The job between nights, which reads only what changed in the HR system."""
    return f"{company}_changes"


def apply_job(company: str) -> str:
    """The job that carries out a plan."""
    return f"{company}_apply"


def undo_job(company: str) -> str:
    """The job that plans the inverse of a plan."""
    return f"{company}_undo"

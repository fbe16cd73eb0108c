"""Words that several rooms of the house need in the same form."""


def count(number: int, one: str, many: str | None = None) -> str:
    """``1 user``, ``3 users``, ``1,204 users``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"

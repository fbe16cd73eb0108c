"""The makers of changes: one SQL file an object, each of which makes its own table;
``proposed_changes`` is their union.

What holds a change back is no business of these files (``guards/``), nor is in which order it comes
(``order/``).
"""

"""What the warehouse says of a company, as data: nothing here writes, and nothing here prints.

A report reads with the ``.sql`` files beside it and returns dataclasses with codes.
:mod:`hris_pipeline.presentation` puts them into words. Reports may hold names of people and stay on
the machine.
"""

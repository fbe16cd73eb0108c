"""What the rooms of the house agree on: tables, extracts and writes, without a line that does anything.

Anything may import this package; it imports nothing but :mod:`hris_pipeline.texts`.
"""

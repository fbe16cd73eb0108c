"""What the rooms of the house agree on: tables, kinds of change, extracts, photos, writes.

Anything may import this package; nothing in it reads or writes.
"""

"""The assets of one company, by stage: factories that take its company file."""

"""Stand-ins of the HR systems, one module or package each."""

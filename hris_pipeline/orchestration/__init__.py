"""The shell: everything that knows Dagster. It calls the core and the edges; neither of them knows
it.
"""

"""Local stand-ins of every outside system: for the first run, the demo and the tests."""

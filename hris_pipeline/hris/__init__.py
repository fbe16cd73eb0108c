"""The edges towards HR systems: a connector for each, the registry of them, and what they share."""

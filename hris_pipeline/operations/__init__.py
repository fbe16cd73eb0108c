"""What people and Dagster have done: without Dagster, and without a screen."""

"""Why: pure functions from evidence to diagnosis."""

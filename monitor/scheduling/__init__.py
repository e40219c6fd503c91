"""When: slots on a fixed grid, with what was late, overlapping or skipped on record."""

"""When checks run: slots on a fixed grid, missed and overlapping runs."""

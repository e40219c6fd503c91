"""What happened: the store of slots, runs and artifacts."""

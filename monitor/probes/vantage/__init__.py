"""Our own health and our own view of the names: what tells our faults from theirs."""

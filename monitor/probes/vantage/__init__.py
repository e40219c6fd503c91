"""Our own view of the world: names, and how we ourselves fare."""

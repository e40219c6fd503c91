"""Where: runs are handed to worker processes, and ended from outside at their deadline."""

"""Steps over plain HTTP, timed at the socket."""

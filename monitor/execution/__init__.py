"""One run, inside a worker: session, steps and evidence under one deadline."""

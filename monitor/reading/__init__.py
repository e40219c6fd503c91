"""Reading YAML with the place of every value, and problems as values; configuration and journeys share it."""

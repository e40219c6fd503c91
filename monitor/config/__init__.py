"""From YAML to settings, with every problem named at its place."""

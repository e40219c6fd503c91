"""Pages that several journeys walk through."""

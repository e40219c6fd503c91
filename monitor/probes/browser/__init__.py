"""Steps in a real browser, with everything it did on record."""

"""The steps by which a database comes from one schema to the next."""

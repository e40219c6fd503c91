"""A shop with third parties that can be broken on demand."""

"""The vocabulary: frozen values and closed enums. Standard library only, no input or output."""

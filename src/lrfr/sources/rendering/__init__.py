"""The renderer of people who do not exist."""

"""Galleries: people who are known by their faces, in one file, and the search among them. Nothing here needs torch."""

"""Notebooks to open after a sweep, each a percent script paired with an .ipynb, and what they share."""

"""Competitors of the package on the same data, one file each, and what is measured about them."""

"""A run folder in, a page that people read out."""

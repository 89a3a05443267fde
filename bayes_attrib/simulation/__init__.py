"""Data folders with known truth."""

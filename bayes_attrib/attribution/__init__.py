"""Fits in, draws of shares and amounts and their summaries out."""

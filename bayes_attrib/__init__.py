"""Bayesian attribution inside known totals."""

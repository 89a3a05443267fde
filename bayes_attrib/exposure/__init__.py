"""Delivery in, effective exposure out."""

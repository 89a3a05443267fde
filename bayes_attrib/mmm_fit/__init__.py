"""A marketing mix model over pymc-marketing, from weekly spend to contributions with draws.

pymc-marketing is imported when a model is built, and not before.
"""

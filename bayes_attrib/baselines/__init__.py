"""Point estimates: the proportional split and expectation maximisation."""

"""AggregateData and ModelSpec in, a plain PyMC model out."""

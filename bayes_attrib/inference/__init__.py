"""A PyMC model in, posterior draws and a verdict out."""

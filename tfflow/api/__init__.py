"""What the commands do, as functions: typed arguments in, results out."""

"""The ways to compute the gradient of a batch, one class each."""

"""One update of the weights: gradients, losses and the optimizer."""

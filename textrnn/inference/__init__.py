"""What a trained model answers, and the run folder that it is loaded from."""

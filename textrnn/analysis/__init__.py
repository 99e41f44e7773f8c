"""What a trained model remembers, and why it answers as it does. See docs/analysis.md."""

"""Answers texts with a trained run, without TensorFlow."""

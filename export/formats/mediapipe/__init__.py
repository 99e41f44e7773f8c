"""The metadata that MediaPipe reads."""

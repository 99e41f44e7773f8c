"""Files of a trained classifier that other programs load.

This folder is installed as `textrnn.export`.
"""

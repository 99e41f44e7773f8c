"""Deployable forms of a trained classifier.

Installed as `textrnn.export`.
"""

"""Fitting a classifier to labelled texts, and measuring it.

Installed as `textrnn.training`.
"""

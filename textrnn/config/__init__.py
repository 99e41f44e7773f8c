"""The settings of data sets, classifiers and language models."""

"""The report on a classifier, as one page."""

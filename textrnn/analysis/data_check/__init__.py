"""Looks at labelled texts before anything is trained on them; docs/check.md."""

"""Tells whether new texts are like those that a run was trained on; docs/drift.md."""

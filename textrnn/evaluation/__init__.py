"""How well a classifier answers on labelled texts."""

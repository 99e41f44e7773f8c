"""The commands, one module per command; a module is imported when its command is used."""

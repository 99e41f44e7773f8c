"""The machine: files, folders and processor cores."""

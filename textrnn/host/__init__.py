"""The machine: files, folders, processor cores, memory."""

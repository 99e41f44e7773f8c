"""Work on several machines, by Ray; nothing of Ray is imported without `--cluster`."""

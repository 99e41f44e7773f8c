"""What the states of a recurrence keep, and for how long."""

"""Analysis of the states of a recurrence: their content, and how long it lasts."""

"""Many trainings as one: which jobs there are, how they stand, and what they found."""

"""Many trainings as one: which jobs there are, how they stand, and what they found.

Grids, searches by Optuna, launchers and the live table live here. One job is a run: see `runs`.
The page of a sweep is drawn in `reports`.
"""

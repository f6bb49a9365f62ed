"""Sweeps: many trainings that one command plans, rehearses, launches, searches and resumes.

Grids, searches by Optuna, the backends of launchers and the live table are here. `runs` trains a
single job, `records` owns the files in its folder, and `reports` draws the page of a sweep.
"""

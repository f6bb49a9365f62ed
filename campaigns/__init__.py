"""Faults on purpose: ``python -m campaigns NAME --hours H --seed S``."""

"""Scores of trained networks on whole images: their tables, their means over runs.

Postprocessing is fitted here too. Measures live in `metrics`, and pages in `reports`.
"""

"""Scores of trained networks on whole images: tables, files, and means over runs.

Postprocessing is tuned here too. Metrics live in `metrics`, pages in `reports`.
"""

"""Scores of trained networks on whole images: tables, files, and means over runs.

This room also tunes postprocessing. Metrics are in `metrics`, pages in `reports`.
"""

"""What evaluate.py does: scores, their tables, means over runs, postprocessing fitted to them."""

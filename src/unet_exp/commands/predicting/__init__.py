"""What predict.py does: from files of any kind and size to files of results."""

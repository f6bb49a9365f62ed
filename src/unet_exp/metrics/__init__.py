"""Scores, each as a pure function and as a torchmetrics class that holds its state."""

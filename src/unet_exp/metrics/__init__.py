"""Measures: a pure function each, and a torchmetrics class that holds its state."""

"""Pictures of data, predictions and training: from arrays to RGB and PNG files.

Each picture is a figure of its own on matplotlib's Agg canvas, so any thread may draw. Import each
from its module: that of the colours needs no matplotlib, which takes a tenth of the time in which
``predict.py`` starts.
"""

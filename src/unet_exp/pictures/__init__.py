"""Pictures of data, predictions and training: from arrays to RGB and PNG files.

Each picture is a separate figure on matplotlib's Agg canvas, so any thread may draw.
"""

from unet_exp.pictures.contact_sheet import contact_sheet
from unet_exp.pictures.learning_curves import learning_curves
from unet_exp.pictures.precision_recall import precision_recall
from unet_exp.pictures.prediction_panel import prediction_panel
from unet_exp.pictures.threshold_curves import threshold_curves

__all__ = [
    "contact_sheet",
    "learning_curves",
    "precision_recall",
    "prediction_panel",
    "threshold_curves",
]

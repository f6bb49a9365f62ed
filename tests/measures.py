"""All measures, with one entry for each configuration that needs its own test."""

from collections.abc import Callable
from functools import partial

from torchmetrics import MetricCollection

from unet_exp.metrics.average_precision import AveragePrecision
from unet_exp.metrics.det import DET
from unet_exp.metrics.dice import Dice
from unet_exp.metrics.iou import IoU
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.object_errors import ObjectErrors
from unet_exp.metrics.object_f1 import ObjectF1
from unet_exp.metrics.op_csb import OPCSB
from unet_exp.metrics.panoptic_quality import PanopticQuality
from unet_exp.metrics.pixel_error import PixelError
from unet_exp.metrics.rand_error import RandError
from unet_exp.metrics.seg import SEG
from unet_exp.metrics.v_info import VInfo
from unet_exp.metrics.v_rand import VRand
from unet_exp.metrics.warping_error import WarpingError

MEASURES: dict[str, Callable[[], Measure]] = {
    "pixel_error": PixelError,
    "pixel_error_f_score": partial(PixelError, [0.3, 0.5, 0.7], f_score=True),
    "iou": IoU,
    "dice": Dice,
    "v_rand": VRand,
    "v_info": VInfo,
    "rand_error": RandError,
    "warping_error": partial(WarpingError, [0.5, 0.7]),
    "warping_error_all": partial(WarpingError, [0.5, 0.7], splits_and_mergers=False),
    "seg": SEG,
    "det": DET,
    "op_csb": OPCSB,
    "average_precision": AveragePrecision,
    "object_f1": ObjectF1,
    "object_errors": ObjectErrors,
    "panoptic_quality": PanopticQuality,
}


def measures() -> MetricCollection:
    """Return a new measure of each kind, by name."""
    return MetricCollection({name: make() for name, make in MEASURES.items()}, compute_groups=False)

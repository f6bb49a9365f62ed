"""Scores of five made-up results: what each measure punishes."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy import ndimage

from unet_exp.metrics.average_precision import average_precision
from unet_exp.metrics.iou import iou
from unet_exp.metrics.object_f1 import object_f1
from unet_exp.metrics.seg import seg
from unet_exp.metrics.v_info import v_info
from unet_exp.metrics.v_rand import v_rand

y, x = np.mgrid[:48, :96]
truth = np.zeros((48, 96), int)
for number, (row, column) in enumerate([(24, 14), (24, 35), (24, 58), (24, 82)], start=1):
    truth[np.hypot(y - row, x - column) < 10] = number


def merged() -> np.ndarray:
    result = np.where(truth == 2, 1, truth)
    result[20:28, 20:30] = 1
    return result


def split() -> np.ndarray:
    return np.where((truth == 3) & (y > 24), 5, truth)


results = {
    "perfect": truth,
    "one missed": np.where(truth == 4, 0, truth),
    "two merged": merged(),
    "one split": split(),
    "too small": truth * ndimage.binary_erosion(truth > 0, iterations=2),
    "one false": np.where(np.hypot(y - 6, x - 47) < 5, 9, truth),
}
measures = {
    "IoU": lambda a, b: iou((a > 0).int(), (b > 0).int()),
    "SEG": seg,
    "AP": lambda a, b: average_precision(a, b).mean(),
    "F1": object_f1,
    "V_rand": v_rand,
    "V_info": v_info,
}
figure, grid = plt.subplots(
    2, len(results), figsize=(9.6, 3.6), height_ratios=(1, 2.4), layout="tight"
)
for column, (name, result) in enumerate(results.items()):
    above, below = grid[:, column]
    above.imshow(np.where(result > 0, (result - 1) % 9, np.nan), cmap="tab10", vmin=0, vmax=9)
    above.set(title=name, xticks=[], yticks=[])
    pair = torch.tensor(result), torch.tensor(truth)
    scores = [float(score(*pair)) for score in measures.values()]
    below.barh(
        list(measures), scores, color=["#0072b2" if s > 0.995 else "#d55e00" for s in scores]
    )
    for place, score in enumerate(scores):
        below.text(0.04, place, f"{score:.2f}", color="white", va="center", fontsize=8)
    below.set(xlim=(0, 1), xticks=[])
    below.invert_yaxis()
    below.spines[["top", "right", "bottom"]].set_visible(False)
    if column:
        below.set_yticks([])

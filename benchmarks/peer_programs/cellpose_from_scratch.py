"""Cellpose 3 from random weights: `train_seg` with its own defaults, then `CellposeModel.eval`.

Source: cellpose.readthedocs.io, "Training". Images are rescaled to a diameter of 30 pixels by
Cellpose itself; at prediction they have the mean diameter of the training labels.
"""

import time
from pathlib import Path

import numpy as np

from benchmarks.peer_programs.common import Pairs, Trained, run


def train(training: Pairs, validation: Pairs, seconds: float, folder: Path) -> Trained:
    from cellpose import models, train

    del validation
    model = models.CellposeModel(gpu=False, pretrained_model=False)
    images, labels = training

    def epochs(count: int) -> None:
        train.train_seg(
            model.net,
            train_data=images,
            train_labels=labels,
            channels=[0, 0],
            normalize=True,
            n_epochs=count,
            save_path=folder,
            model_name="model",
        )

    # Each call computes flows first. The difference between two lengths is the time of an epoch.
    starts = [time.process_time()]
    for count in (1, 2):
        epochs(count)
        starts.append(time.process_time())
    first, second = starts[1] - starts[0], starts[2] - starts[1]
    epoch = max(second - first, 0.1)
    preparing = max(0.0, first - epoch)
    model = models.CellposeModel(gpu=False, pretrained_model=False)
    start = time.process_time()
    epochs(max(1, int((seconds - preparing) / epoch)))
    diameter = float(model.net.diam_labels)

    def predict(image: np.ndarray) -> np.ndarray:
        return model.eval(image, channels=[0, 0], diameter=diameter)[0]

    return predict, start


if __name__ == "__main__":
    run(train)

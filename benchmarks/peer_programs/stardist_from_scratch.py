"""StarDist 2D as its example notebooks train it, with thresholds fitted to the validation images.

Source: github.com/stardist/stardist, examples/2D: 32 rays, grid (2, 2), patches of 256 x 256
pixels, batches of 4, percentiles 1 and 99.8, flips, quarter turns and changes of intensity.
"""

import time
from pathlib import Path

import numpy as np

from benchmarks.peer_programs.common import Pairs, Trained, flipped, normalised, run

EPOCH = 10
"""Steps in an epoch. The notebook has 100, too long for a training with a limit in time."""


def train(training: Pairs, validation: Pairs, seconds: float, folder: Path) -> Trained:
    from csbdeep.utils import normalize
    from stardist import fill_label_holes
    from stardist.models import Config2D, StarDist2D

    rng = np.random.default_rng(0)

    def prepared(pairs: Pairs) -> Pairs:
        images = [normalize(image, 1, 99.8, axis=(0, 1)) for image in pairs[0]]
        return images, [fill_label_holes(labels) for labels in pairs[1]]

    def augmented(image: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        image, labels = flipped(rng, (image, labels))
        image = image * rng.uniform(0.6, 2) + rng.uniform(-0.2, 0.2)
        return image + 0.02 * rng.uniform(0, 1) * rng.normal(size=image.shape), labels

    images, labels = prepared(training)
    # One seventh of the training images is used to monitor the loss, as in the notebook.
    order = rng.permutation(len(images))
    held, kept = order[: max(1, len(order) // 7)], order[max(1, len(order) // 7) :]
    config = Config2D(
        n_rays=32,
        grid=(2, 2),
        n_channel_in=1,
        train_patch_size=(256, 256),
        train_batch_size=4,
        train_steps_per_epoch=EPOCH,
    )
    watched = [images[n] for n in held], [labels[n] for n in held]
    known = [images[n] for n in kept], [labels[n] for n in kept]

    def fit(model: StarDist2D, epochs: int) -> float:
        start = time.process_time()
        model.train(*known, validation_data=watched, augmenter=augmented, epochs=epochs)
        return time.process_time() - start

    trial = StarDist2D(config, name="trial", basedir=str(folder))
    first, second = fit(trial, 1), fit(trial, 2)
    epoch = max(second - first, 0.1)
    model = StarDist2D(config, name="model", basedir=str(folder))
    start = time.process_time()
    fit(model, max(1, int((seconds - max(0.0, first - epoch)) / epoch)))
    model.optimize_thresholds(*prepared(validation))

    def predict(image: np.ndarray) -> np.ndarray:
        return model.predict_instances(normalised(image))[0]

    return predict, start


if __name__ == "__main__":
    run(train)

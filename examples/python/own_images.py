"""
Your own images in Python
=========================

Train on images and labels that are arrays, segment another image, and score the result.
"""

# %%
# Images and labels
# -----------------
# Here they are made up: bright discs on a noisy ground. Yours may come from ``tifffile.imread``.
# Images are (h, w), (c, h, w) or (h, w, c). Labels are (h, w): 0 is the background, and each object
# has a number.

import matplotlib.pyplot as plt
import numpy as np


def discs(seed: int, size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Return an image of discs and its labels."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    labels = np.zeros((size, size), np.int32)
    for number, (row, column) in enumerate(random.uniform(0, size, (14, 2)), start=1):
        labels[(np.hypot(y - row, x - column) < random.uniform(6, 10)) & (labels == 0)] = number
    image = 100 + 60 * (labels > 0) * random.uniform(0.7, 1.3, 15)[labels]
    return (image + random.normal(0, 15, image.shape)).astype(np.float32), labels


pairs = [discs(seed) for seed in range(10)]
images, labels = [list(arrays) for arrays in zip(*pairs, strict=True)]

figure, axes = plt.subplots(1, 2, figsize=(6, 3))
axes[0].imshow(images[0], cmap="gray")
axes[1].imshow(labels[0], cmap="tab20", interpolation="nearest")
for one, title in zip(axes, ("image", "labels"), strict=True):
    one.set(title=title, xticks=[], yticks=[])

# %%
# Train
# -----
# A fifth of the images validates. Texts with an equals sign are overrides, as on the command line.
# These make the training short; leave them out for your own images.

import unet_exp

short = [
    "model.depth=2",
    "model.base_channels=8",
    "loader.num_workers=0",
    "logger=none",
    "ema_decay=0.9",
]
run = unet_exp.train(images, labels, *short, max_steps=50, progress=False)
print(run.summary["steps"], "steps; ended by", run.summary["ended_by"])

# %%
# Segment
# -------
# ``load`` takes a run, a run folder or a checkpoint. ``predict`` returns instances and
# probabilities of an image that the network has not seen.

segmenter = unet_exp.load(run)
image, truth = discs(seed=100)
result = segmenter.predict(image)

figure, axes = plt.subplots(1, 3, figsize=(9, 3))
axes[0].imshow(image, cmap="gray")
axes[1].imshow(result.probabilities, cmap="viridis", vmin=0, vmax=1)
axes[2].imshow(result.instances, cmap="tab20", interpolation="nearest")
titles = (
    "image",
    "probability",
    f"{result.instances.max()} objects, {len(np.unique(truth)) - 1} drawn",
)
for one, title in zip(axes, titles, strict=True):
    one.set(title=title, xticks=[], yticks=[])

# %%
# Score
# -----
# ``evaluate`` computes the scores of the validation images.

scores = unet_exp.evaluate(run, metric=["seg", "object_f1", "average_precision"], progress=False)
for name, score in scores.items():
    print(f"{name:20} {score:.3f}")

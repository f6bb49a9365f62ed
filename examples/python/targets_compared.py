"""
Compare targets
===============

The target decides what a network learns, and how objects are found in its output. Here are three
trainings that differ in nothing else.
"""

# %%
# Three trainings
# ---------------
# The data set is made up. The overrides make the trainings short.

import matplotlib.pyplot as plt

import unet_exp
from unet_exp.datasets.synthetic import Synthetic

short = [
    "dataset.size=96",
    "dataset.noise=0.05",
    "loader.batch_size=4",
    "optimizer.lr=0.005",
    "model.depth=2",
    "model.base_channels=8",
    "loader.num_workers=0",
    "pictures.images=0",
    "ema_decay=0.9",
    "logger=none",
]
targets = "foreground", "three_class", "distance"
runs = {
    target: unet_exp.train(f"target={target}", *short, max_steps=70, progress=False)
    for target in targets
}

# %%
# The same image
# --------------
# An image of the test split, which none of them has seen.

sample = Synthetic(size=96, noise=0.05).split("test")[0]
figure, axes = plt.subplots(2, 4, figsize=(9, 4.8), layout="constrained")
axes[0, 0].imshow(sample.image[0], cmap="gray")
axes[1, 0].imshow(sample.labels, cmap="tab20", interpolation="nearest")
axes[0, 0].set_title("image and labels")
for column, (target, run) in enumerate(runs.items(), start=1):
    result = unet_exp.load(run).predict(sample.image[0])
    axes[0, column].imshow(result.probabilities, vmin=0, vmax=1)
    axes[1, column].imshow(result.instances, cmap="tab20", interpolation="nearest")
    axes[0, column].set_title(target)
    axes[1, column].set_title(f"{result.instances.max()} objects")
for one in axes.flat:
    one.set(xticks=[], yticks=[])

# %%
# Their scores
# ------------
# The scores of the validation images. ``left_out`` is the score of each image with values of the
# postprocessing that were fitted to the others.

for target, run in runs.items():
    scores = run.summary["fitted_postprocessing"]["scores"]["average_precision"]
    print(f"{target:12}", {kind: round(score, 3) for kind, score in scores.items()})

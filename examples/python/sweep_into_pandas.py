"""
Read a sweep into pandas
========================

A sweep folder holds ``sweep.csv``, with a row for each job, and a run folder for each job.
"""

# %%
# The table of the jobs
# ---------------------
# ``recorded_sweep`` is what is left of the tables of this sweep of six small networks::
#
#     python train.py -m model.depth=1,2,3 seed=0,1 model.base_channels=8 dataset.size=128 \
#         loader.tile=64 loader.batch_size=8 loader.steps_per_validation=50 \
#         trainer.max_steps=200 plan=none ema_decay=0.95 postprocessing.fit=false

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

folder = Path("recorded_sweep")  # yours: Path("outputs/sweeps/NAME/STAMP")
jobs = pd.read_csv(folder / "sweep.csv")
print(jobs[["job", "model.depth", "seed", "state", "score", "seconds"]].to_string(index=False))

# %%
# Means over seeds
# ----------------
# ``score`` is the monitored score of the best checkpoint, here SEG.

finished = jobs[jobs["state"] == "finished"]
print(finished.groupby("model.depth")["score"].agg(["mean", "std", "count"]).round(3))

# %%
# Learning curves
# ---------------
# ``metrics.csv`` in each run folder has a row for each validation.

curves = pd.concat(
    pd.read_csv(folder / str(job) / "metrics.csv").assign(job=job) for job in finished["job"]
).merge(jobs[["job", "model.depth"]], on="job")
means = curves.pivot_table(index="step", columns="model.depth", values="val/seg", aggfunc="mean")

figure, axes = plt.subplots(figsize=(6, 3.2))
means.plot(ax=axes, marker="o")
axes.set(xlabel="step", ylabel="SEG, mean of the seeds")
axes.spines[["top", "right"]].set_visible(False)

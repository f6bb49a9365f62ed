"""The table of config groups, and the options of each group in ``conf/``."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

PACKAGE = Path(__file__).parents[1]
#: The configuration tree: inside the package when installed, beside ``src/`` in a checkout.
CONF = next(p for p in (PACKAGE / "conf", PACKAGE.parents[1] / "conf") if p.is_dir())


@dataclass(frozen=True)
class Group:
    """A folder of ``conf/`` whose options name a ``_target_``."""

    summary: str
    """A sentence that describes the group, for the help."""
    package: str = ""
    """The package of ``unet_exp`` that the group mirrors; empty for classes of other libraries."""
    in_checkpoint: bool = False
    """Whether a checkpoint records this part, so that evaluation and prediction build it again."""
    changeable: bool = False
    """Whether evaluate.py and predict.py accept single values that replace the checkpoint's."""
    several: bool = False
    """Whether the configuration has several options of the group at once, by name."""
    runtime: tuple[str, ...] = ()
    """Arguments that the program passes itself, so that no override may give them."""


GROUPS = {
    "dataset": Group(
        "The images and their labels.", "datasets", in_checkpoint=True, changeable=True,
    ),
    "target": Group("What the network learns from the labels.", "targets", in_checkpoint=True),
    "weight_map": Group(
        "How much each pixel counts in the loss.", "weight_maps", in_checkpoint=True,
    ),
    "augmentation": Group("How tiles are cut and changed at random.", "augmentations"),
    "loader": Group(
        "Size and number of the tiles of a step.", "training", in_checkpoint=True, changeable=True,
        runtime=("dataset", "network", "target", "weight_map", "augmentation", "data_dir"),
    ),
    "model": Group("The network.", "models", in_checkpoint=True),
    "loss": Group("What training minimises.", "losses", in_checkpoint=True),
    "inference": Group(
        "How a network is applied to images of any size.", "inference", in_checkpoint=True,
        changeable=True,
    ),
    "postprocessing": Group(
        "From the probabilities to separate objects.", "postprocessing", in_checkpoint=True,
        changeable=True,
    ),
    "metric": Group(
        "Scores of a prediction; several at once: metric=[det,object_f1].", "metrics",
        in_checkpoint=True, changeable=True, several=True,
    ),
    "trainer": Group(
        "Devices, precision, and the length of a training.", "training",
        runtime=("folder", "callbacks", "loggers"),
    ),
    "callbacks": Group("What else happens during a training.", "training", several=True),
    "logger": Group(
        "Where scores are sent, besides the run folder.", "training",
        runtime=("folder", "run_id", "config"),
    ),
    "optimizer": Group("How a step changes the weights."),
    "scheduler": Group("How the learning rate changes during a training."),
    "hydra/launcher": Group("Where the jobs of a sweep run; usually one after the other."),
    "hydra/sweeper": Group("Which jobs a sweep consists of."),
}  # fmt: skip

#: Groups whose single values evaluate.py and predict.py accept.
CHANGEABLE = tuple(name for name, group in GROUPS.items() if group.changeable)
#: Groups that evaluate.py and predict.py always take from the checkpoint.
FIXED = tuple(n for n, group in GROUPS.items() if group.package and not group.changeable)


def option_files(group: str) -> list[Path]:
    """Return the YAML files of a config group, sorted by name."""
    return sorted((CONF / group).glob("*.yaml"))


def options(group: str) -> list[str]:
    """Return the names of a group's options."""
    return [path.stem for path in option_files(group)]


def is_group(key: str) -> bool:
    """Tell whether a key chooses an option of ``conf/``.

    >>> is_group("model"), is_group("hydra/launcher"), is_group("model.depth")
    (True, True, False)
    """
    return "." not in key and (CONF / key).is_dir()


@cache
def content(name: str) -> dict[str, Any]:
    """Return a file of ``conf/`` as plain data, ``train`` or ``model/unet``; do not change it.

    >>> content("loss/dice")["_target_"]
    'unet_exp.losses.dice.Dice'
    """
    found: Any = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    return found or {}


def targets(group: str) -> dict[str, str]:
    """Return the target of each option of a group that names one, as a dotted path.

    >>> targets("inference")
    {'overlap_tile': 'unet_exp.inference.overlap_tile.OverlapTile'}
    """
    nodes = {option: content(f"{group}/{option}") for option in options(group)}
    return {option: node["_target_"] for option, node in nodes.items() if "_target_" in node}

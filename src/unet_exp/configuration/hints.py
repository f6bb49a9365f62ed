"""Suggest the option that was probably meant if a command does not have the given one."""

import difflib
from functools import cache
from typing import Any

from unet_exp.configuration import schema
from unet_exp.configuration.groups import CHANGEABLE, GROUPS, content, options, targets
from unet_exp.configuration.tree import walk


class OverrideError(ValueError):
    """Hydra would accept the override, but it has no effect or a wrong type."""


COMMANDS = ("train", "evaluate", "predict", "export")

#: Renamed keys: the name in earlier versions, and the present one.
RENAMED = {
    "averaging": "ema_decay",
    "weight_map.separation": "target.separation",
    "model.num_classes": "model.out_channels",
    "probabilities": "probability_type",
}
#: Names of options in other programs, or in other commands of this one.
MEANT = {
    "train": {
        "checkpoint": "ckpt_path", "ckpt": "ckpt_path", "output": "hydra.run.dir",
        "weights": "init_from", "pretrained": "init_from", "finetune": "init_from",
        "output_dir": "hydra.run.dir", "dir": "hydra.run.dir", "run": "hydra.run.dir",
        "epochs": "trainer.max_steps", "max_epochs": "trainer.max_steps",
        "num_epochs": "trainer.max_steps", "steps": "trainer.max_steps",
        "iterations": "trainer.max_steps", "learning_rate": "optimizer.lr",
        "gpus": "trainer.devices", "num_gpus": "trainer.devices",
        "workers": "loader.num_workers", "patch_size": "loader.tile", "crop": "loader.tile",
        "input": "dataset.root", "data": "dataset.root", "images": "dataset.root",
        "n_trials": "hydra.sweeper.n_trials", "device": "trainer.accelerator",
    },
    "evaluate": {
        "ckpt_path": "checkpoint", "ckpt": "checkpoint", "weights": "checkpoint",
        "model": "checkpoint", "output": "hydra.run.dir", "dir": "hydra.run.dir",
        "folder": "run", "input": "dataset.root", "data": "dataset.root",
        "device": "accelerator", "gpus": "accelerator", "trainer": "accelerator",
    },
    "predict": {
        "run": "checkpoint", "ckpt_path": "checkpoint", "ckpt": "checkpoint",
        "weights": "checkpoint", "folder": "input", "images": "input", "data": "input",
        "source": "input", "dir": "output", "outdir": "output", "output_dir": "output",
        "hydra.run.dir": "output", "device": "accelerator", "gpus": "accelerator",
        "trainer": "accelerator",
    },
    "export": {
        "run": "checkpoint", "ckpt_path": "checkpoint", "ckpt": "checkpoint",
        "weights": "checkpoint", "model": "checkpoint", "input": "checkpoint",
        "dir": "output", "output_dir": "output", "hydra.run.dir": "output", "type": "format",
    },
}  # fmt: skip


def hint(key: str, value: Any, command: str) -> str:
    """Return a sentence with the place of a key, or with similar keys; empty if there are none.

    It suggests only keys of the command.

    >>> hint("run", "outputs/runs/a", "predict")
    'It is an option of evaluate.py. Did you mean checkpoint=outputs/runs/a?'
    >>> hint("threshold", 0.6, "evaluate"), hint("postprocesing.threshold", 0.6, "train")
    ('Did you mean postprocessing.threshold=0.6?', 'Did you mean postprocessing.threshold=0.6?')
    """
    given = "" if value is None else f"={str(value).strip(chr(34))}"
    near = nearest(key, given[1:], command)
    meant = f"Did you mean {' or '.join(f'{one}{given}' for one in near)}?" if near else ""
    others = [other for other in COMMANDS if other != command and has(other, key)]
    if others and not has(command, key):
        return f"It is an option of {' and '.join(f'{one}.py' for one in others)}. {meant}".strip()
    if command != "train" and not near and (trained := nearest(key, given[1:], "train")):
        return f"It is an option of train.py: {' or '.join(trained)}."
    return meant


def fixed_by_checkpoint(key: str, value: Any, command: str) -> str:
    """Return a message: the part comes from the checkpoint, and these values may be changed."""
    part, some = key.partition(".")[0], ", ".join(CHANGEABLE)
    if key in CHANGEABLE:
        return (
            f"{command}.py takes {key} from the checkpoint, and no other option of it. Single "
            f"values can be changed: {key}.NAME=VALUE."
        )
    if part in (*CHANGEABLE, "model", "loss"):
        return f"{part} was fixed in training, so it cannot be changed now. What can be: {some}."
    return f"There is no {key}. {hint(key, value, command)}"


def has(command: str, key: str) -> bool:
    """Tell whether a command has this key or part."""
    return key in candidates(command) if "." in key else key in own(command)


def nearest(key: str, value: str, command: str) -> list[str]:
    """Return at most three keys of a command that are most similar to a key."""
    name = key.rpartition(".")[2]
    known = candidates(command)
    if meant := MEANT[command].get(key) or (MEANT[command].get(name) if "." in key else None):
        return [meant]
    if same := [one for one in known if one.rpartition(".")[2] == name]:
        alike = difflib.get_close_matches(key, same, n=1, cutoff=0.8) if "." in key else []
        return alike or same[:3]
    chosen = [group for group in groups(command) if value in options(group)]
    whole = [*(one for one in known if "." in one or one in own(command)), *chosen]
    if alike := difflib.get_close_matches(key, whole, n=1, cutoff=0.65):
        return alike
    last = {one.rpartition(".")[2]: one for one in reversed(known)}
    return [last[one] for one in difflib.get_close_matches(name, last, n=1, cutoff=0.75)]


@cache
def candidates(command: str) -> tuple[str, ...]:
    """Return the keys of a command: its own first, then those of the options of its groups."""
    own_keys = (
        key.partition("[")[0]
        for key, value in walk(content(command))
        if key.partition(".")[0] not in ("", "defaults", "hydra") and not isinstance(value, dict)
    )
    names = CHANGEABLE if command != "train" else [name for name in GROUPS if "/" not in name]
    parameters = (
        # A configuration has several metrics at once, by name.
        f"{group}.{option}.{name}" if GROUPS[group].several else f"{group}.{name}"
        for group in names
        for option in options(group)
        for name in parameter_names(group, option)
    )
    return tuple(dict.fromkeys([*own_keys, *parameters]))


def owners(key: str) -> list[str]:
    """Return the options of a key's group that have this parameter, as overrides.

    >>> owners("dataset.root"), owners("dataset.colour")
    (['dataset=folder'], [])
    >>> owners("hydra.sweeper.n_trials")
    ['hydra/sweeper=optuna']
    """
    group, _, name = key.removeprefix("hydra.").partition(".")
    group = f"hydra/{group}" if key.startswith("hydra.") else group
    return [f"{group}={one}" for one in options(group) if name in parameter_names(group, one)]


@cache
def parameter_names(group: str, option: str) -> tuple[str, ...]:
    """Return the parameters of an option of a group that have defaults."""
    target = targets(group).get(option)
    usual = [p for p in schema.parameters(target) if p.default is not p.empty] if target else []
    return tuple(p.name for p in usual if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))


def own(command: str) -> frozenset[str]:
    """Return the first parts of a command's keys, and its groups."""
    return frozenset({*content(command), *groups(command)} - {"defaults", "hydra"})


@cache
def groups(name: str) -> frozenset[str]:
    """Return the config groups from which a command, or an option, chooses.

    >>> sorted(groups("predict")), sorted(groups("hydra/sweeper/optuna"))
    (['inference', 'postprocessing'], ['pruner', 'sampler'])
    """
    defaults = content(name).get("defaults", ())
    chosen = (key for one in defaults if isinstance(one, dict) for key in one)
    return frozenset(key for key in chosen if key != "hydra" and not key.startswith("override "))

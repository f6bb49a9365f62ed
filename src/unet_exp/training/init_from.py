"""Initialise a network with the weights of a checkpoint: ``init_from=best.ckpt``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from unet_exp.configuration.buildable import brief
from unet_exp.training.checkpoint import CheckpointError, read_content, read_weights

#: Prefix of the names of the network's weights in a checkpoint.
NETWORK = "network."
#: Largest number of layers that a message names.
NAMED = 5
#: Values that follow from the data and the target.
GIVEN_BY_DATA = ("_target_", "_partial_", "in_channels", "out_channels")


def take_weights(
    network: nn.Module, path: Path, strict: bool = True, settings: Mapping[str, Any] | None = None
) -> str:
    """Copy the weights of a checkpoint into a network, and return a line that describes them.

    Parameters
    ----------
    strict
        Refuse a checkpoint that does not fit. Otherwise, layers that are missing in the checkpoint
        or have other shapes there keep their random weights.
    settings
        The configuration of the new training; an error names the values that the checkpoint has
        instead.

    Raises CheckpointError with the layers that do not fit, or if no layer fits.
    """
    trained = read_content(path)["config"]  # refuses what is unsafe
    held = {
        name.removeprefix(NETWORK): value
        for name, value in read_weights(path).items()
        if str(name).startswith(NETWORK) and isinstance(value, Tensor)
    }
    own = layers(network.state_dict())
    different = dict(differing(layers(held), own))
    new = [name for name in different if name in own]
    told = "; ".join(list(different.values())[:NAMED])
    told += f"; and {len(different) - NAMED} more" * (len(different) > NAMED)
    others = " ".join(other_settings(trained, settings or {}))
    remedy = f"Give {others}" if others else "Give the values of `model` that the checkpoint has"
    if different and strict:
        raise CheckpointError(
            f"{path} does not fit this network: {told}. {remedy} (and, if the first layer differs, "
            "the channels: dataset.channels=...), or add init_from.strict=false, and these layers "
            "begin anew."
        )
    if len(new) == len(own):
        raise CheckpointError(
            f"{path} has no layer of this network: {told}. {remedy}, or leave out init_from."
        )
    fitting = {name: value for name, value in held.items() if layer_of(name) not in different}
    network.load_state_dict(fitting, strict=False)
    return f"from {path}" + (f"; begun anew or left out: {told}" if different else "")


def other_settings(trained: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Return the overrides that give the target and the network of a checkpoint.

    Parameters
    ----------
    trained
        The configuration that the checkpoint records. It may come from a stranger.
    settings
        The configuration of a training, whose values are left out if they are the same.

    >>> own = {"model": {"_target_": "a.Net", "depth": 3, "norm": None}}
    >>> other_settings({"model": {"_target_": "a.Net", "depth": 4, "norm": None}}, own)
    ['model.depth=4']
    """
    found = []
    for group in ("target", "model"):
        held, own = trained.get(group), settings.get(group)
        if not isinstance(held, Mapping) or not isinstance(own, Mapping):
            continue
        target = brief(held.get("_target_"))
        if target != own.get("_target_"):
            place = target.split(".")
            ours = place[:2] == ["unet_exp", f"{group}s"] and len(place) == 4
            found.append(f"{group}={place[2]}" if ours else f"{group}._target_={target}")
        found += [
            f"{group}.{name}={'null' if value is None else brief(value)}"
            for name, value in held.items()
            if name not in GIVEN_BY_DATA and name in own and value != own[name]
        ]
    return found


def layers(weights: Mapping[str, Tensor]) -> dict[str, dict[str, tuple[int, ...]]]:
    """Return the shapes of each layer's tensors, by layer and name.

    >>> layers(nn.Sequential(nn.Linear(3, 2)).state_dict())
    {'0': {'weight': (2, 3), 'bias': (2,)}}
    """
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, value in weights.items():
        found.setdefault(layer_of(name), {})[name.rpartition(".")[2]] = tuple(value.shape)
    return found


def layer_of(name: str) -> str:
    """Return the layer that a tensor belongs to.

    >>> layer_of("contracting.0.0.weight")
    'contracting.0.0'
    """
    return name.rpartition(".")[0]


def differing(held: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each layer whose tensors differ, with what differs.

    >>> dict(differing({"a": {"weight": (2, 3)}}, {"a": {"weight": (4, 3)}, "b": {"bias": (1,)}}))
    {'a': 'a (weight (2, 3), here (4, 3))', 'b': 'b (not in the checkpoint)'}
    """
    for name in dict.fromkeys([*own, *held]):
        if name not in held:
            yield name, f"{name} (not in the checkpoint)"
        elif name not in own:
            yield name, f"{name} (not in this network)"
        elif held[name] != own[name]:
            names = dict.fromkeys([*held[name], *own[name]])
            one = next(part for part in names if held[name].get(part) != own[name].get(part))
            there, here = held[name].get(one, "missing"), own[name].get(one, "missing")
            yield name, f"{name} ({one} {there}, here {here})"

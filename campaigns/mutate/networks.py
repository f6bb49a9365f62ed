"""Damaged checkpoints and packages: each is built, or refused by an error that names it."""

import io
import pickletools
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
import yaml
from omegaconf import DictConfig

from campaigns.mutate.damage import damaged, rewritten, text_damaged
from campaigns.mutate.images import npy
from campaigns.trials import FaultError
from unet_exp.api.job import compose
from unet_exp.packages.archive import PackageError
from unet_exp.packages.opened import open_trained
from unet_exp.training.checkpoint import CheckpointError


def repacked(archive: bytes, rng: Random, packed: int) -> bytes:
    """A zip archive in which one member is damaged, removed, renamed or doubled."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        members = [(name, file.read(name)) for name in file.namelist()]
    number = rng.randrange(len(members))
    name, content = members[number]
    kind = rng.random()
    if kind < 0.7:
        members[number] = name, damaged(content, rng)
    elif kind < 0.8:
        del members[number]
    elif kind < 0.9:
        members[number] = text_damaged(name, rng).replace("\0", "") or "a", content
    else:
        members.insert(number, (rng.choice(("../out", "/out", "a" * 300, name + "x")), content))
    return zipped(members, packed)


def zipped(members: list[tuple[str, bytes]], packed: int) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", packed) as file:
        for name, content in members:
            file.writestr(zipfile.ZipInfo(name), content, packed)
    return whole.getvalue()


def with_pickle(archive: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A checkpoint whose pickle is changed."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        members = [(name, file.read(name)) for name in file.namelist()]
    return zipped(
        [(n, change(c) if n.endswith("data.pkl") else c) for n, c in members], zipfile.ZIP_STORED
    )


def changed_argument(data: bytes, rng: Random) -> bytes:
    """A pickle in which one operation has another argument, or is another operation."""
    starts = [place for _, _, place in pickletools.genops(data) if place is not None]
    at = rng.choice(starts)
    if rng.random() < 0.5:
        return data[:at] + rng.choice(pickletools.opcodes).code.encode("latin-1") + data[at + 1 :]
    at += 1 + rng.randrange(3)
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


class Checkpoints:
    """Trials with the checkpoint of a tiny training."""

    def __init__(self, sound: Path) -> None:
        self.bytes = sound.read_bytes()
        self.content = torch.load(sound, weights_only=True)
        self.cfg: DictConfig = compose("predict", ["accelerator=cpu"])

    def trial(self, rng: Random, folder: Path) -> None:
        path = folder / "best.ckpt"
        kind = rng.random()
        if kind < 0.25:
            path.write_bytes(damaged(self.bytes, rng))
        elif kind < 0.4:
            path.write_bytes(repacked(self.bytes, rng, zipfile.ZIP_STORED))
        elif kind < 0.65:
            path.write_bytes(with_pickle(self.bytes, lambda data: changed_argument(data, rng)))
        else:
            torch.save(self.rewritten(rng), path)
        use(path, self.cfg)

    def rewritten(self, rng: Random) -> dict[str, Any]:
        """The content with other values; mostly those of the configuration."""
        content = dict(self.content)
        if rng.random() < 0.8:
            part = rng.choice(("config", "config", "config", "fitted"))
            part = part if part in content else "config"
            content[part] = rewritten(content[part], rng)
        else:
            weights = dict(content["state_dict"])
            name = rng.choice(list(weights))
            now = weights[name]
            weights[name] = rng.choice(
                (now.double(), now[None], now * np.nan, None, "a", torch.zeros(0),
                 now.to(torch.int8), now.expand(3, *now.shape))
            )  # fmt: skip
            content["state_dict"] = weights
        return content


def use(path: Path, cfg: DictConfig) -> None:
    """Build a network and segment with it, if it is not refused."""
    try:
        trained = open_trained([path], cfg)
        trained.describe_postprocessing()
        channels = trained.config.model.in_channels
        if channels > 16:
            return
        image = np.ones((channels, 20, 30), np.float32)
        trained.predictor.predict(image)
    except (CheckpointError, PackageError) as error:
        named = path.name in str(error) or "cells" in str(error)
        if not named or "not foreseen" in str(error):
            raise FaultError(f"{type(error).__name__} does not help: {error}") from error
    except ValueError as error:
        if "no finite numbers" not in str(error):
            raise


class Packages:
    """Trials with a package of one convolution, if the extra ``export`` is installed."""

    def __init__(self, weights: bytes) -> None:
        self.cfg: DictConfig = compose("predict", ["accelerator=cpu"])
        space = {"type": "space", "size": {"min": 8, "step": 4}}
        axes = [{"type": "batch"}, {"type": "channel", "channel_names": ["c"]}]
        image = [*axes, {**space, "id": "y"}, {**space, "id": "x"}]
        found = [*axes]
        for name in "yx":
            size = {"tensor_id": "image", "axis_id": name, "offset": 0}
            found.append({"type": "space", "id": name, "size": size, "halo": 2})
        scaled = {"id": "scale_linear", "kwargs": {"gain": 0.01, "offset": 0.5}}
        self.said = {
            "type": "model", "format_version": "0.5.4", "name": "cells",
            "inputs": [{"id": "image", "axes": image, "preprocessing": [scaled]}],
            "outputs": [{"id": "out", "axes": found, "test_tensor": {"source": "output.npy"},
                         "postprocessing": [{"id": "sigmoid"}]}],
            "weights": {"onnx": {"source": "weights.onnx", "opset_version": 17}},
            "config": {"unet_exp": {
                "normalization": "none",
                "target": {"_target_": "unet_exp.targets.foreground.Foreground",
                           "activation": "sigmoid"},
                "postprocessing": {"_target_": "unet_exp.postprocessing.components.Components"},
            }},
        }  # fmt: skip
        self.old = {
            "type": "model", "format_version": "0.4.9", "name": "cells",
            "inputs": [{"name": "image", "axes": "bcyx",
                        "shape": {"min": [1, 1, 8, 8], "step": [0, 0, 4, 4]},
                        "preprocessing": [{"name": "zero_mean_unit_variance",
                                           "kwargs": {"mode": "per_sample", "axes": "xy"}}]}],
            "outputs": [{"name": "out", "axes": "bcyx", "halo": [0, 0, 2, 2],
                         "shape": {"reference_tensor": "image", "scale": [1] * 4,
                                   "offset": [0] * 4}}],
            "test_outputs": ["output.npy"], "weights": {"onnx": {"source": "weights.onnx"}},
        }  # fmt: skip
        self.members = [
            ("weights.onnx", weights), ("output.npy", npy(np.full((1, 1, 8, 8), 0.5, np.float32)))
        ]  # fmt: skip

    def trial(self, rng: Random, folder: Path) -> None:
        path = folder / "model.zip"
        said: Any = rng.choice((self.said, self.old))
        if rng.random() < 0.3:
            said = {k: v for k, v in said.items() if k != "config"}
        kind = rng.random()
        text = yaml.safe_dump(rewritten(said, rng) if kind < 0.5 else said, allow_unicode=True)
        if 0.5 <= kind < 0.65:
            text = text_damaged(text, rng)
        whole = zipped(
            [("rdf.yaml", text.encode("utf-8", "surrogatepass")), *self.members],
            zipfile.ZIP_DEFLATED,
        )
        if kind >= 0.65:
            whole = (
                repacked(whole, rng, zipfile.ZIP_DEFLATED) if kind < 0.85 else damaged(whole, rng)
            )
        path.write_bytes(whole)
        use(path, self.cfg)


def one_convolution() -> bytes:
    """An ONNX network of one convolution."""
    from onnx import TensorProto, helper, numpy_helper

    outer = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in "xy"]
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1] * 4)
    kernel = numpy_helper.from_array(np.full((1, 1, 3, 3), 1 / 9, np.float32), "w")
    graph = helper.make_graph([node], "cells", outer[:1], outer[1:], [kernel])
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()

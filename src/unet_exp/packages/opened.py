"""Open checkpoints or BioImage.IO packages, to segment or to score with their networks."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.objects import build
from unet_exp.configuration.revision import revised
from unet_exp.inference.predictor import Predictor
from unet_exp.packages.archive import PackageError
from unet_exp.packages.image_steps import ImageStep
from unet_exp.packages.package import Package, read_package
from unet_exp.training.trained import Trained, load, naming_values_of

#: Default side of a tile in pixels, because the memory that a graph needs is not known.
TILE = 1024
#: Settings that scores and the loaders of a data set need, and that packages do not have.
ASSUMED: dict[str, Any] = {
    "seed": 0,
    "monitor": {"metric": "seg"},
    "metric": {
        "seg": {"_target_": "unet_exp.metrics.seg.SEG"},
        "average_precision": {"_target_": "unet_exp.metrics.average_precision.AveragePrecision"},
        "iou": {"_target_": "unet_exp.metrics.iou.IoU"},
    },
    "weight_map": {
        "_target_": "unet_exp.weight_maps.uniform.UniformWeightMap",
        "class_balance": False,
    },
    "loader": {
        "_target_": "unet_exp.training.loaders.Loaders",
        "_partial_": True,
        "scale": "${inference.scale}",
    },
}


def is_package(path: Path) -> bool:
    """Tell whether a file is read as a package.

    >>> is_package(Path("model.zip")), is_package(Path("best.ckpt"))
    (True, False)
    """
    return path.suffix.lower() == ".zip"


def open_trained(paths: Sequence[Path], cfg: DictConfig) -> Trained:
    """Return the network of a checkpoint or a package, or the mean of several of one kind.

    See :func:`unet_exp.training.trained.load` for the configuration.

    Raises CheckpointError or PackageError if a file cannot be used, and ValueError if the files are
    of both kinds.
    """
    packages = [path for path in paths if is_package(path)]
    if not packages:
        return load(paths, cfg)
    if len(packages) < len(paths):
        raise ValueError(
            f"{packages[0]} is a package, and others are checkpoints. Average networks of one kind."
        )
    return open_packages(packages, cfg)


def open_packages(paths: Sequence[Path], cfg: DictConfig) -> Trained:
    """Return the network of a package, or the mean of several that scale images in the same way."""
    packages = [read_package(path, cfg.accelerator, cfg.trust) for path in paths]
    for path, package in zip(paths, packages, strict=True):
        require_alike(path, package, paths[0], packages[0])
    first = packages[0]
    given = [OmegaConf.select(cfg, key) for key in ("nodata", "dataset.nodata")]
    if first.steps and (values := [value for value in given if value is not None]):
        raise ValueError(
            f"nodata={values[0]} would have no effect: the package scales images by steps of its "
            "own. Leave it out."
        )
    networks = [package.network for package in packages]
    sides = [one.fitting_sizes(2 * one.halo + one.step)[1] for one in networks]
    inference = {
        "_target_": "unet_exp.inference.overlap_tile.OverlapTile",
        "tile": max(TILE, *sides),
        "scale": first.scale,
    }
    # The steps of a package do not support pixels without data.
    dataset = {"normalization": first.normalization} | ({"nodata": []} if first.steps else {})
    channels = {"in_channels": networks[0].in_channels, "out_channels": networks[0].out_channels}
    held = ASSUMED | {
        "model": channels,
        "dataset": dataset,
        "inference": inference,
        "target": first.target,
        "postprocessing": first.postprocessing,
    }
    config = revised(held, cfg)
    if "normalization" in config.dataset:
        config.dataset.normalization = first.normalization
    with naming_values_of(
        paths[0], changed=bool(cfg.get("inference") or cfg.get("postprocessing"))
    ):
        target, inference = build(config.target), build(config.inference)
        postprocessing = build(config.postprocessing)
    if getattr(target, "out_channels", networks[0].out_channels) != networks[0].out_channels:
        raise PackageError(
            f"{paths[0]} gives {networks[0].out_channels} channels, and its target needs "
            f"{target.out_channels}. Fetch the package again."
        )
    predictor = Predictor(networks, target, inference, postprocessing, cfg.tta)
    return Trained(
        config, config.postprocessing, None, [held] * len(paths), predictor,
        first.origin, in_order(first.steps) if first.steps else None,
    )  # fmt: skip


def require_alike(path: Path, package: Package, first_path: Path, first: Package) -> None:
    """Refuse packages whose networks cannot be averaged.

    Raises PackageError with what differs.
    """
    for what, one, other in (
        ("number of channels", package.network.in_channels, first.network.in_channels),
        ("number of output channels", package.network.out_channels, first.network.out_channels),
        ("scale", package.scale, first.scale),
        ("normalization", package.normalization, first.normalization),
        ("preprocessing", package.preprocessing, first.preprocessing),
        ("target", package.target, first.target),
    ):
        if one != other:
            raise PackageError(
                f"{path} has another {what} than {first_path}: {one} and {other}. Only networks of "
                "the same images and classes can be averaged. Leave one of them out."
            )


def in_order(steps: Sequence[ImageStep]) -> Callable[[Any], Any]:
    """Return a function that applies steps one after the other to an image (c, h, w)."""

    def prepare(image: Any) -> Any:
        for step in steps:
            image = step(image)
        return image

    return prepare

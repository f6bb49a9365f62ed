"""Packages of the BioImage Model Zoo, run by its own library."""

import gc
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
import pytest
import torch
import yaml
from omegaconf import DictConfig, OmegaConf
from PIL import Image

import unet_exp
from tests.export.checkpoints import save_checkpoint
from tests.running import Command
from unet_exp.export import bioimageio
from unet_exp.export.bioimageio import input_axes, output_axes, preprocessing, to_bioimageio
from unet_exp.export.exported import Exported
from unet_exp.images.scaling import Scaled
from unet_exp.models.unet import UNet

reads = pytest.mark.skipif(
    tuple(map(int, pydantic.VERSION.split(".")[:2])) >= (2, 14),
    reason="bioimageio.spec 0.5.12 cannot read any package with pydantic 2.14",
)


def fields(**given: Any) -> DictConfig:
    default = {"name": None, "description": None, "authors": ["Ada Lovelace"], "license": "MIT"}
    return OmegaConf.create(default | given)


@pytest.fixture
def package(exported: Exported, tmp_path: Path) -> Path:
    """The package of a network of each kind."""
    path = tmp_path / "model.zip"
    path.write_bytes(to_bioimageio(exported, fields()))
    return path


def description(package: Path) -> Any:
    with zipfile.ZipFile(package) as file:
        return yaml.safe_load(file.read("rdf.yaml"))


# bioimageio.spec leaves the files open that it reads.
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:.torch.jit.load. is deprecated:DeprecationWarning",
)
@reads
def test_the_library_of_the_zoo_passes_a_package(package: Path, exported: Exported) -> None:
    from bioimageio.core import create_prediction_pipeline, load_model_description, test_description
    from bioimageio.core.digest_spec import create_sample_for_model

    summary = test_description(package)
    assert summary.status == "passed", summary.format()
    said = description(package)
    assert set(said["weights"]) == {"onnx", "torchscript", "pytorch_state_dict"}
    assert said["authors"] == [{"name": "Ada Lovelace"}]
    assert said["license"] == "MIT"

    # Another image, of 16 bits, without a step of ours.
    rng = np.random.default_rng(1)
    _, side = exported.network.fitting_sizes(140)
    image = rng.integers(0, 60000, (1, side, side)).astype(np.uint16)
    model = load_model_description(package)
    inputs: Any = {"image": image[None].astype(np.float32)}
    sample = create_sample_for_model(model, inputs=inputs)
    with create_prediction_pipeline(model) as pipeline:
        # The library mirrors the border of an image if there is a halo. Our network pads by zeros.
        whole = {"skip_input_padding": True, "skip_output_cropping": True}
        found = pipeline.predict_sample_without_blocking(sample, **whole)
    with torch.inference_mode():
        expected = exported.network(torch.from_numpy(Scaled(image)[:, :, :])[None])
    (output,) = found.members.values()
    np.testing.assert_allclose(output.data.to_numpy(), expected.numpy(), atol=1e-4, rtol=0)

    with zipfile.ZipFile(package) as file:
        assert Image.open(io.BytesIO(file.read("cover.png"))).size == (512, 256)
    gc.collect()


def test_a_package_segments_as_its_checkpoint_does(valid: Exported, tmp_path: Path) -> None:
    package = tmp_path / "model.zip"
    package.write_bytes(to_bioimageio(valid, fields()))
    image = np.random.default_rng(0).integers(0, 4000, (150, 170)).astype(np.uint16)
    words = ("postprocessing=components", "postprocessing.threshold=0.4")
    expected = unet_exp.load(valid.checkpoint, *words, device="cpu").predict(image)
    found = unet_exp.load(package, *words, device="cpu").predict(image)
    assert np.allclose(found.probabilities, expected.probabilities, atol=1e-4, rtol=0)
    assert expected.instances.any()
    assert np.array_equal(found.instances, expected.instances)

    # Without our entry, its own steps and the look of its test output decide.
    foreign = package.with_name("foreign.zip")
    said = description(package)
    del said["config"]
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(foreign, "w") as new:
        for name in ("weights.onnx", "output.npy"):
            new.writestr(name, old.read(name))
        new.writestr("rdf.yaml", yaml.safe_dump(said))
    probabilities = unet_exp.load(foreign, device="cpu").probabilities(image)
    assert np.allclose(probabilities, expected.probabilities, atol=1e-4, rtol=0)


@pytest.mark.parametrize("normalization", ["zscore", "percentile", "minmax", "dtype", "none"])
def test_images_are_scaled_as_in_training(normalization: str) -> None:
    from bioimageio.core import MemberId, Sample, Tensor
    from bioimageio.core.proc_ops import get_proc
    from bioimageio.core.stat_calculators import StatsCalculator
    from bioimageio.spec.model.v0_5 import InputTensorDescr

    network = UNet(in_channels=2, depth=1, base_channels=1)
    described = InputTensorDescr.model_validate(
        {
            "id": "image",
            "axes": input_axes(network),
            "data": {"type": "float32"},
            "preprocessing": preprocessing(normalization),
        }
    )
    image = np.random.default_rng(0).integers(0, 256, (2, 40, 52)).astype(np.uint8)
    image[1] //= 4
    tensor = Tensor.from_numpy(image[None].astype(np.float32), dims=("batch", "channel", "y", "x"))
    sample = Sample(members={MemberId("image"): tensor}, stat={}, id=None)
    for step in described.preprocessing:
        run = get_proc(step, described)
        sample.stat = dict(StatsCalculator(run.required_measures).update_and_get_all(sample))
        run(sample)
    found = sample.members[MemberId("image")].data.to_numpy()[0]
    np.testing.assert_allclose(found, Scaled(image, normalization)[:, :, :], atol=1e-5, rtol=0)


def test_tiles_of_a_padded_network_have_a_halo_and_unpadded_ones_are_smaller() -> None:
    network = UNet(depth=2, base_channels=1, padding="same")
    padded = output_axes(network)[2]
    assert padded["halo"] == network.halo
    assert padded["size"]["offset"] == 0
    article = output_axes(UNet(base_channels=1))[2]
    assert "halo" not in article
    assert article["size"]["offset"] == 388 - 572


def test_a_network_for_resized_images_is_refused(command: Command, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "best.ckpt", "inference.scale=0.5")
    words = ("checkpoint=best.ckpt", "format=bioimageio", "output=model.zip", "authors=[Ada]")
    done = command("export", *words)
    assert done.code == 1
    assert "inference.scale=0.5" in done.err
    assert "format=onnx" in done.err
    assert not (tmp_path / "model.zip").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"license": "MTI"}, "license='MTI' is no identifier of https://spdx.org/licenses"),
        ({"name": "a"}, "name='a' does not fit"),
        ({"authors": [{"name": "Ada", "orcid": "12"}]}, r"authors\.0\.orcid='12' does not fit"),
    ],
)
def test_a_wrong_field_is_refused_before_the_network_is_converted(
    given: dict[str, Any], message: str, valid: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bioimageio, "to_onnx", None)
    with pytest.raises(bioimageio.ExportError, match=message):
        to_bioimageio(valid, fields(**given))

"""Packages of other programs, opened by ``unet_exp.load``."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unet_exp
from tests.packages.packing import axes, description, following, npy, pack
from unet_exp.packages.archive import PackageError
from unet_exp.training.checkpoint import CheckpointError

SCALED = [{"id": "scale_linear", "kwargs": {"gain": 1 / 255}}]
IMAGE = np.zeros((30, 40), np.uint8)
IMAGE[4:12, 5:15] = 255
IMAGE[16:28, 20:37] = 230


def scaling(size: Any = None) -> list[dict[str, Any]]:
    return [{"id": "image", "axes": axes(size or {"min": 8, "step": 4}), "preprocessing": SCALED}]


def test_probabilities_become_objects(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = pack(tmp_path / "model.zip", description(inputs=scaling()))
    with caplog.at_level(logging.WARNING):
        segmenter = unet_exp.load(path, "postprocessing.smoothing=0", device="cpu")
    assert "taken for the probability of the foreground" in caplog.text
    found = segmenter.predict(IMAGE)
    assert np.allclose(found.probabilities, IMAGE / 255, atol=1e-6)
    assert np.array_equal(found.instances > 0, IMAGE > 0)
    assert found.instances.max() == 2
    pages = segmenter.segment(np.stack([IMAGE, IMAGE.T[:30, :30].repeat(2, 1)[:, :40]]))
    assert np.array_equal(pages[0], found.instances)


def test_logits_pass_the_package_s_sigmoid_or_ours(tmp_path: Path) -> None:
    values = np.linspace(-4, 4, 64, dtype=np.float32).reshape(8, 8)
    expected = 1 / (1 + np.exp(-values))
    ours = pack(tmp_path / "ours.zip", description(), output_npy=npy(values[None, None]))
    assert np.allclose(unet_exp.load(ours).probabilities(values), expected, atol=1e-6)
    output = {"axes": following(), "postprocessing": [{"id": "sigmoid"}]}
    output["test_tensor"] = {"source": "output.npy"}
    theirs = pack(tmp_path / "theirs.zip", description(outputs=[output]))
    assert np.allclose(unet_exp.load(theirs).probabilities(values), expected, atol=1e-6)


def test_three_channels_are_classes(tmp_path: Path) -> None:
    weights = np.array([0.0, 1.0, 2.0]).reshape(3, 1, 1, 1)
    output = {"axes": following(channels=3), "test_tensor": {"source": "output.npy"}}
    example = npy(np.arange(-3.0, 3).reshape(1, 3, 1, 2))
    path = pack(tmp_path / "a.zip", description(outputs=[output]), weights, output_npy=example)
    found = unet_exp.load(path, device="cpu").predict(np.ones((8, 8), np.float32))
    assert np.allclose(found.probabilities[:, 0, 0], [0.090031, 0.244728, 0.665241], atol=1e-5)
    assert found.classes is not None
    assert (found.classes == 2).all()


def test_tiles_of_one_size_show_no_seams(tmp_path: Path) -> None:
    weights = np.full((1, 1, 3, 3), 1 / 9)
    image = np.random.default_rng(0).random((100, 70), np.float32)
    found = []
    for name, size in (("fixed", 32), ("any", {"min": 32, "step": 1})):
        output = {"axes": following(halo=2), "test_tensor": {"source": "output.npy"}}
        said = description(inputs=[{"axes": axes(size)}], outputs=[output])
        path = pack(tmp_path / f"{name}.zip", said, weights)
        found.append(unet_exp.load(path, device="cpu", tile=200 if name == "any" else None))
    assert np.allclose(*(one.probabilities(image) for one in found), atol=1e-6)


def test_format_0_4(tmp_path: Path) -> None:
    same = {"reference_tensor": "image", "scale": [1, 1, 1, 1], "offset": [0, 0, 0, 0]}
    said = description(
        format_version="0.4.9",
        inputs=[
            {
                "name": "image",
                "axes": "bcyx",
                "shape": [1, 1, 64, 64],
                "preprocessing": [{"name": "scale_linear", "kwargs": {"gain": 1 / 255}}],
            }
        ],
        outputs=[{"name": "out", "axes": "bcyx", "shape": same}],
        test_outputs=["output.npy"],
    )
    segmenter = unet_exp.load(pack(tmp_path / "a.zip", said), device="cpu")
    assert np.allclose(segmenter.probabilities(IMAGE), IMAGE / 255, atol=1e-6)


OURS = {
    "normalization": "none",
    "target": {"_target_": "unet_exp.targets.foreground.Foreground", "activation": "sigmoid"},
    "postprocessing": {"_target_": "unet_exp.postprocessing.components.Components"},
}
WEIGHTS = {"onnx": {"source": "weights.onnx", "sha256": "0" * 64}}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"weights": WEIGHTS}, "another checksum than weights.onnx. Fetch the package again"),
        ({"weights": {"onnx": {"source": "https://a.org/w.onnx"}}}, "source=https://a.org/w.onnx"),
        ({"weights": {"onnx": {"source": "/etc/passwd"}}}, "has no /etc/passwd"),
        ({"outputs": [{"axes": following()}]}, "no test output, which tells logits"),
        (
            {"config": {"unet_exp": OURS | {"target": {"_target_": "os.system"}}}},
            "target._target_=os.system is no option of target",
        ),
        (
            {"config": {"unet_exp": OURS | {"postprocessing": {"_target_": "os.system"}}}},
            "postprocessing._target_=os.system is no option",
        ),
        ({"config": {"unet_exp": {"target": OURS["target"]}}}, "has no postprocessing"),
        (
            {"config": {"unet_exp": OURS | {"target": OURS["target"] | {"activation": "softmax"}}}},
            "gives 1 channels, and its target needs 2",
        ),
        (
            {"config": {"unet_exp": OURS | {"normalization": "${oc.env:HOME}"}}},
            r"has normalization=\$\{oc\.env:HOME\}\. It is one of zscore",
        ),
        (
            {
                "inputs": [
                    {
                        "id": "image",
                        "axes": axes({"min": 8, "step": 4}),
                        "preprocessing": [{"id": "scale_range", "kwargs": {"axes": [["y"], "x"]}}],
                    }
                ]
            },
            "Name some of batch, channel, y and x",
        ),
    ],
)
def test_untrusted_packages_are_refused(tmp_path: Path, given: Any, told: str) -> None:
    path = pack(tmp_path / "model.zip", description(**given))
    with pytest.raises(PackageError, match=told):
        unet_exp.load(path, device="cpu")


@pytest.mark.parametrize(
    "given",
    [
        {"scale": 0},
        {"postprocessing": OURS["postprocessing"] | {"threshold": 7}},
    ],
)
def test_a_value_that_a_part_refuses_names_the_package(
    tmp_path: Path, given: dict[str, Any]
) -> None:
    said = description(config={"unet_exp": OURS | given})
    with pytest.raises(CheckpointError, match=r"model\.zip was not built: .* is out of range"):
        unet_exp.load(pack(tmp_path / "model.zip", said), device="cpu")


def test_options_that_would_have_no_effect_are_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "model.zip", description(inputs=scaling()))
    with pytest.raises(ValueError, match="nodata=0 would have no effect"):
        unet_exp.load(path, "nodata=0")
    with pytest.raises(ValueError, match=r"Did you mean postprocessing\.threshold"):
        unet_exp.load(path, "postprocessing.treshold=0.4")


def test_a_package_of_ours_brings_its_postprocessing_and_its_warnings(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours = OURS | {"warnings": ["The network has GroupNorm."]}
    path = pack(tmp_path / "model.zip", description(config={"unet_exp": ours}))
    with caplog.at_level(logging.WARNING):
        segmenter = unet_exp.load(path, device="cpu")
    assert caplog.messages == ["cells: The network has GroupNorm."]
    assert type(segmenter.predictor.postprocessing).__name__ == "Components"
    assert np.allclose(segmenter.probabilities(np.zeros((9, 9), np.float32)), 0.5)

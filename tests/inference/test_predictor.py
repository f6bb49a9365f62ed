"""Regions, versions and networks are averaged, and the borders of tiles leave no trace."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn.functional import interpolate

from unet_exp.images.resampling import resized
from unet_exp.inference.overlap_tile import OverlapTile
from unet_exp.inference.predictor import Predictor
from unet_exp.models.unet import UNet
from unet_exp.postprocessing.components import Components
from unet_exp.targets.distance import Distance
from unet_exp.targets.foreground import Foreground
from unet_exp.targets.three_class import ThreeClass


def network(seed: int = 0, **options: int | str) -> UNet:
    torch.manual_seed(seed)
    return UNet(**{"depth": 2, "base_channels": 4, "padding": "same", **options}).eval()  # pyright: ignore[reportArgumentType]


class Raw(Foreground):
    """Use the network's output as evidence."""

    def evidence(self, output: Tensor) -> Tensor:
        return output


def predictor(*networks: UNet, tta: str = "none", tile: int | None = None) -> Predictor:
    def threshold(probabilities: Tensor) -> Tensor:
        return (probabilities[0] < 0.5).int()

    return Predictor(networks, Foreground(), OverlapTile(tile), threshold, tta)


IMAGE = np.random.default_rng(0).random((1, 70, 53), np.float32)


def test_a_prediction_has_the_images_size() -> None:
    prediction = predictor(network()).predict(torch.from_numpy(IMAGE))
    assert prediction.probabilities.shape == (2, 70, 53)
    assert prediction.instances.shape == (70, 53)
    np.testing.assert_allclose(prediction.probabilities.sum(0), 1, atol=1e-6)
    np.testing.assert_array_equal(prediction.instances, prediction.probabilities[0] < 0.5)


@pytest.mark.parametrize("tta", ["none", "rotations", "dihedral"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_an_image_in_regions_is_the_whole_image(tta: str, padding: str) -> None:
    """The regions are odd in size and place, and off the grid of pooled pixels."""
    whole = predictor(network(padding=padding), tta=tta).evidence(IMAGE)
    parts = predictor(network(padding=padding), tta=tta, tile=64)
    for rows, columns in [((0, 31), (0, 53)), ((31, 70), (0, 17)), ((31, 70), (17, 53))]:
        part = parts.evidence(IMAGE, (rows, columns))
        np.testing.assert_allclose(part, whole[:, slice(*rows), slice(*columns)], atol=1e-5)


@pytest.mark.parametrize("tta", ["none", "dihedral"])
def test_regions_cover_an_image_once(tta: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unet_exp.inference.overlap_tile.REGION", 40)
    seen = np.zeros((70, 53), int)
    regions = predictor(network(), tta=tta, tile=64).regions(70, 53)
    for rows, columns in regions:
        seen[slice(*rows), slice(*columns)] += 1
    assert (seen == 1).all()
    assert len(regions) > 1


def test_the_eight_versions_are_averaged_as_by_hand() -> None:
    net, image = network(), torch.from_numpy(IMAGE)
    total = torch.zeros(2, 70, 53)
    for flip in (False, True):
        for turns in range(4):
            seen = torch.rot90(image, turns, (1, 2))
            seen = seen.flip(2) if flip else seen
            there = predictor(net).evidence(seen)
            there = there.flip(2) if flip else there
            total += torch.rot90(there, -turns, (1, 2)) / 8
    torch.testing.assert_close(
        predictor(net, tta="dihedral").evidence(IMAGE), total, atol=1e-6, rtol=0
    )


def test_eight_versions_do_not_see_how_the_image_lies() -> None:
    whole = predictor(network(), tta="dihedral")
    turned = whole.evidence(np.rot90(IMAGE, 1, (1, 2)))
    expected = np.rot90(whole.evidence(IMAGE).numpy(), 1, (1, 2))
    np.testing.assert_allclose(turned, expected, atol=1e-5)


def test_several_networks_are_averaged() -> None:
    nets = [network(seed) for seed in range(3)]
    mean = sum(predictor(net).evidence(IMAGE) for net in nets) / 3
    torch.testing.assert_close(predictor(*nets).evidence(IMAGE), mean)


class Shift:
    """A network that returns each pixel's left neighbour, so it depends on the rotation."""

    in_channels, out_channels, padding = 1, 1, "same"
    step, halo = 1, 1

    def output_size(self, size: int) -> int:
        return size

    def fitting_sizes(self, size: int) -> tuple[int | None, int]:
        return size, size

    def __call__(self, image: Tensor) -> Tensor:
        return torch.roll(image, 1, -1)


def test_seven_rotations_average_seven_directions() -> None:
    """In the image's own frame the neighbour lies at each of seven angles; scipy looks there."""
    y, x = np.mgrid[:60, :60] / 9
    image = (np.sin(x) + np.cos(1.3 * y) + 0.1 * x * y).astype(np.float32)[None]
    seven = Predictor([Shift()], Raw(), OverlapTile(), None, "rotations")
    found = seven.evidence(image)[0, 10:50, 10:50]
    angles = 2 * np.pi * np.arange(7) / 7
    moved = [ndimage.shift(image[0], (np.sin(a), np.cos(a)), order=3) for a in angles]
    np.testing.assert_allclose(found, np.mean(moved, 0)[10:50, 10:50], atol=0.01)
    one = Predictor([Shift()], Raw(), OverlapTile(), None)
    assert (one.evidence(image)[0, 10:50, 10:50] - found).abs().max() > 0.08


@pytest.mark.parametrize(
    ("norm", "layer"), [("group", "GroupNorm"), ("instance", "InstanceNorm2d")]
)
def test_norms_of_single_regions_are_warned_of(
    norm: str, layer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unet_exp.inference.overlap_tile.REGION", 40)
    with pytest.warns(UserWarning, match=f"has {layer}, which normalises each tile"):
        predictor(network(norm=norm), tile=64).regions(70, 53)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_probabilities_that_are_no_numbers_are_refused(value: float) -> None:
    network = UNet(depth=1, base_channels=2).eval()
    torch.nn.init.constant_(network.classify.bias, value)
    predictor = Predictor([network], Raw(), OverlapTile(), None)
    with pytest.raises(ValueError, match="no finite numbers"):
        predictor.evidence(torch.rand(1, 30, 40))


def test_each_output_is_passed_on_before_it_becomes_evidence() -> None:
    nets = [network(seed) for seed in range(2)]
    outputs: list[Tensor] = []
    prediction = predictor(*nets).predict(IMAGE, outputs.append)
    assert [output.shape for output in outputs] == [(2, 70, 53)] * 2
    mean = sum(output.softmax(0) for output in outputs) / 2
    torch.testing.assert_close(prediction.probabilities, mean)


class InBlocks:
    """A postprocessing that writes by slices."""

    def in_blocks(self, probabilities: np.ndarray, out: np.ndarray) -> int:
        out[:] = 3
        return 3


def test_instances_are_written_in_blocks_or_as_a_whole() -> None:
    probabilities = np.stack([IMAGE[0], 1 - IMAGE[0]])
    out = np.zeros((70, 53), np.uint32)
    whole = predictor(network())
    assert whole.write_instances(probabilities, out) == 1
    np.testing.assert_array_equal(out, probabilities[0] < 0.5)
    whole.postprocessing = InBlocks()
    assert whole.write_instances(probabilities, out) == 3
    assert (out == 3).all()


@pytest.mark.parametrize("target", [ThreeClass(), Distance()])
def test_a_height_follows_the_probabilities(target: ThreeClass | Distance) -> None:
    net = network(out_channels=target.out_channels)
    seen: list[Tensor] = []

    def postprocessing(evidence: Tensor) -> Tensor:
        seen.append(evidence)
        return (evidence[0] < 0.5).int()

    prediction = Predictor([net], target, OverlapTile(), postprocessing).predict(IMAGE)
    assert seen[0].shape == (3, 70, 53)
    assert prediction.probabilities.shape == (2, 70, 53)
    np.testing.assert_allclose(prediction.probabilities.sum(0), 1, atol=1e-5)
    assert list(prediction.maps) == ["height"]
    torch.testing.assert_close(prediction.maps["height"], seen[0][2])
    assert predictor(network()).predict(IMAGE).maps == {}


def resizing(scale: float, tta: str = "none", tile: int | None = None) -> Predictor:
    return Predictor([network()], Foreground(), OverlapTile(tile, scale=scale), Components(), tta)


@pytest.mark.parametrize("scale", [0.4, 1.7, 3.0])
def test_a_resized_image_gives_evidence_of_its_own_size(scale: float) -> None:
    shown = resized(IMAGE, round(70 * scale), round(53 * scale))[:, :, :]
    plain = predictor(network()).evidence(shown)
    expected = interpolate(plain[None], (70, 53), mode="bilinear", antialias=True)[0]
    outputs = []
    prediction = resizing(scale).predict(IMAGE, outputs.append)
    np.testing.assert_allclose(prediction.evidence, expected, atol=1e-5)
    assert prediction.instances.shape == (70, 53)
    assert [output.shape for output in outputs] == [plain.shape]  # the loss compares it


@pytest.mark.parametrize("tta", ["none", "rotations", "dihedral"])
@pytest.mark.parametrize("scale", [0.4, 1.7])
def test_a_resized_image_in_regions_is_the_whole_image(tta: str, scale: float) -> None:
    whole = resizing(scale, tta).evidence(IMAGE)
    parts = resizing(scale, tta, tile=64)
    for rows, columns in [((0, 31), (0, 53)), ((31, 70), (0, 17)), ((31, 70), (17, 53))]:
        part = parts.evidence(IMAGE, (rows, columns))
        np.testing.assert_allclose(part, whole[:, slice(*rows), slice(*columns)], atol=1e-5)


@pytest.mark.parametrize("scale", [0.4, 1.7])
def test_regions_of_a_resized_image_cover_it_once(
    scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unet_exp.inference.overlap_tile.REGION", 30)
    seen = np.zeros((70, 53), int)
    regions = resizing(scale).regions(70, 53)
    for rows, columns in regions:
        seen[slice(*rows), slice(*columns)] += 1
        assert max(np.ptp(rows), np.ptp(columns)) * max(1, scale) <= 30
    assert len(regions) > 1
    assert (seen == 1).all()


def test_another_magnification_changes_image_and_lengths() -> None:
    given = Components(min_size=100, grow=2)
    twice = Predictor([network()], Foreground(), OverlapTile(64, 2, 0.5), given).magnified(0.5)
    assert vars(twice.inference) == {"tile": 64, "batch_size": 2, "scale": 0.25}
    assert twice.postprocessing == Components(min_size=400, grow=4)
    assert twice.magnified(1) is twice


def test_a_senseless_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"inference\.scale=1000"):
        OverlapTile(scale=1000)

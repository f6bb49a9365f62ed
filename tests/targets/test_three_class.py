import numpy as np
import pytest
import torch
from tests.targets.drawings import drawn

from unet_exp.losses.dice import Dice
from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy
from unet_exp.postprocessing.components import Components
from unet_exp.postprocessing.none import ClassMap
from unet_exp.postprocessing.watershed import Watershed
from unet_exp.targets.target import Target, require_match
from unet_exp.targets.three_class import ThreeClass

LABELS = drawn(
    """
    .............
    .1111222233..
    .1111222233..
    .1111222233..
    .1111222233..
    .1111222.....
    .............
    """
)


class Network:
    def __init__(self, channels: int) -> None:
        self.out_channels = channels


def output_of(target: np.ndarray, channels: int) -> torch.Tensor:
    """An output that is sure of each pixel's class."""
    sure = torch.nn.functional.one_hot(torch.from_numpy(target).long(), channels)
    return 20.0 * sure.movedim(-1, 0)[None].float()


def test_it_is_a_target_with_its_losses() -> None:
    target = ThreeClass()
    assert isinstance(target, Target)
    for loss in (WeightedCrossEntropy(), Dice()):
        require_match(target, Network(3), loss)


def test_borders_of_one_pixel() -> None:
    encoded = ThreeClass().encode(LABELS)
    expected = drawn(
        """
        .............
        .2222222211..
        .2112211211..
        .2112211211..
        .2112211211..
        .2222222.....
        .............
        """
    )
    # Object 3 has no inside, so it has no border either.
    np.testing.assert_array_equal(encoded.target, expected)
    np.testing.assert_array_equal(encoded.labels, LABELS)
    np.testing.assert_array_equal(encoded.classes, LABELS > 0)
    assert encoded.target.dtype == np.int16


def test_large_objects_have_borders_of_two_pixels() -> None:
    labels = np.zeros((60, 40), np.int32)
    labels[5:25, 5:25] = 1  # a square of 20 x 20 has the diameter 22.6
    labels[35:50, 5:20] = 2  # 15 x 15: 16.9
    target = ThreeClass().encode(labels).target
    assert (target[7:23, 7:23] == 1).all()
    assert (target[5:25, 5:25] == 1).sum() == 16 * 16
    assert (target[35:50, 5:20] == 1).sum() == 13 * 13
    assert (ThreeClass(width=4).encode(labels).target[35:50, 5:20] == 1).sum() == 7 * 7


def test_unknown_pixels_and_drawn_classes() -> None:
    labels = np.array([[1, 1, 1, 2, 2, 2, 0, -1, 0]])
    drawn_classes = np.array([[1, 1, 1, 2, 2, 2, 0, 0, 255]], np.uint8)
    encoded = ThreeClass(num_classes=3).encode(labels, drawn_classes)
    # Insides are 1 and 2, borders 3 and 4; the edge of the image is no border.
    np.testing.assert_array_equal(encoded.target, [[1, 1, 3, 4, 2, 4, 0, -1, -1]])
    np.testing.assert_array_equal(encoded.classes, [[1, 1, 1, 2, 2, 2, 0, 255, 255]])


def test_evidence_adds_the_border_to_its_class() -> None:
    output = torch.tensor([0.1, 0.2, 0.3, 0.15, 0.25]).log().reshape(1, 5, 1, 1)
    evidence = ThreeClass(num_classes=3).evidence(output).flatten()
    torch.testing.assert_close(evidence, torch.tensor([0.1, 0.35, 0.55, 0.5]))
    assert ThreeClass(num_classes=3).out_channels == 5


def test_perfect_outputs_give_the_objects_back() -> None:
    target = ThreeClass()
    evidence = target.evidence(output_of(target.encode(LABELS).target, 3))[0]
    # The drawn objects are too small to be smoothed.
    watershed = Watershed(
        seed_threshold=target.seed_threshold, height=target.height, shape=0, smoothing=0
    )
    found = watershed(evidence).numpy()
    np.testing.assert_array_equal(found > 0, LABELS > 0)
    for inside in ((3, 2), (3, 6), (2, 9)):
        assert (found == found[inside]).sum() >= 4
    assert len({found[3, 2], found[3, 6], found[2, 9]}) == 3
    out = np.zeros(LABELS.shape, np.uint32)
    assert watershed.in_blocks(evidence.numpy(), out, block=4) == 3
    np.testing.assert_array_equal(out, found)


def test_other_postprocessing_takes_the_classes() -> None:
    target = ThreeClass()
    evidence = target.evidence(output_of(target.encode(LABELS).target, 3))[0]
    assert Components()(evidence).max() == 1
    np.testing.assert_array_equal(ClassMap(num_classes=2)(evidence), LABELS > 0)


@pytest.mark.parametrize(
    ("values", "told"),
    [({"num_classes": 1}, "target.num_classes=1"), ({"width": 0}, "target.width=0 is out")],
)
def test_values_out_of_range_are_refused(values: dict[str, int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ThreeClass(**values)

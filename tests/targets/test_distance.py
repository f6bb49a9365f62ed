import numpy as np
import torch
from scipy import ndimage
from tests.targets.drawings import drawn

from unet_exp.losses.classes_and_distances import ClassesAndDistances
from unet_exp.postprocessing.watershed import Watershed
from unet_exp.targets.distance import Distance
from unet_exp.targets.target import Target, require_match, target_tensor

LABELS = drawn(
    """
    ...............
    .11111222222...
    .11111222222...
    .11111222222...
    .11111222222...
    .11111222222...
    ..........2222.
    ...............
    """
)


class Network:
    out_channels = 4


def perfect(labels: np.ndarray) -> torch.Tensor:
    """The output that the loss asks for."""
    classes, own, neighbour = target_tensor(Distance().encode(labels).target)
    return torch.stack([20 * (0.5 - classes), 20 * (classes - 0.5), own, neighbour])[None]


def test_it_is_a_target_with_its_loss() -> None:
    assert isinstance(Distance(), Target)
    require_match(Distance(), Network(), ClassesAndDistances())


def test_a_square_by_itself() -> None:
    labels = np.pad(np.ones((5, 5), np.int32), 4)
    classes, own, neighbour = Distance().encode(labels).target
    np.testing.assert_array_equal(classes, labels)
    np.testing.assert_allclose(own[4:9, 4:9] * 3, ndimage.distance_transform_edt(labels)[4:9, 4:9])
    assert own.max() == 1
    assert not neighbour.any()


def test_neighbours_are_close_along_their_contact() -> None:
    _, own, neighbour = Distance().encode(LABELS).target
    # Object 1 has the radius 3. Its last column is one pixel from object 2: c = 1 - 1 / 6.
    c = 1 - 1 / 6
    expected = 1 / np.sqrt(0.65 + 0.5 * np.exp(-11 * (c - 0.75))) - 0.19
    np.testing.assert_allclose(neighbour[3, 5], expected, rtol=1e-5)
    assert (np.diff(neighbour[3, 1:6]) >= 0).all()
    assert (np.diff(neighbour[3, 6:12]) <= 0).all()
    assert neighbour[3, 0] == neighbour[3, 14] == 0
    np.testing.assert_allclose(own[3, 1:6] * 3, [1, 2, 3, 2, 1], rtol=1e-5)


def test_narrow_gaps_are_close_to_neighbours() -> None:
    labels = np.zeros((9, 15), np.int32)
    labels[1:8, 1:7], labels[1:8, 8:14] = 1, 2
    neighbour = Distance().encode(labels).target[2]
    assert (neighbour[3:6, 7] >= neighbour[3:6, 6]).all()
    assert neighbour[4, 7] > 0.5


def test_unknown_pixels_and_drawn_classes() -> None:
    labels = np.array([[1, 1, 1, 0, -1, 0]])
    target = Distance(num_classes=3).encode(labels, np.array([[2, 2, 2, 0, 0, 255]], np.uint8))
    np.testing.assert_array_equal(target.target[0], [[2, 2, 2, 0, np.nan, np.nan]])
    assert np.isnan(target.target[:, 0, 4:]).all()
    np.testing.assert_array_equal(target.classes, [[2, 2, 2, 0, 255, 255]])
    assert Distance(num_classes=3).out_channels == 5


def test_one_object_as_large_as_the_image() -> None:
    target = Distance().encode(np.ones((6, 8), np.int32)).target
    assert np.isfinite(target).all()
    assert (target[1] == 1).all()
    assert np.isfinite(Distance().encode(np.zeros((6, 8), np.int32)).target).all()


def test_evidence_is_classes_and_a_height_from_0_to_1() -> None:
    output = torch.tensor([0.0, 0.0, 0.9, 0.5]).reshape(1, 4, 1, 1)
    torch.testing.assert_close(
        Distance().evidence(output).flatten(), torch.tensor([0.5, 0.5, 0.65])
    )
    wild = Distance().evidence(torch.randn(1, 4, 9, 9) * 9)[0, 2]
    assert 0 <= wild.min() <= wild.max() <= 1


def test_perfect_outputs_give_the_objects_back() -> None:
    target = Distance()
    evidence = target.evidence(perfect(LABELS))[0]
    # The drawn objects are too small to be smoothed.
    watershed = Watershed(
        seed_threshold=target.seed_threshold, height=target.height, shape=0, smoothing=0
    )
    found = watershed(evidence).numpy()
    np.testing.assert_array_equal(found > 0, LABELS > 0)
    assert found.max() == 2
    assert (found[1:6, 1:5] == found[3, 3]).all()
    assert (found[1:6, 7:12] == found[3, 9]).all()
    out = np.zeros(LABELS.shape, np.uint32)
    assert watershed.in_blocks(evidence.numpy(), out, block=5) == 2
    np.testing.assert_array_equal(out, found)

"""The target of flows: encoding, evidence, turning, and the objects that come back."""

import numpy as np
import pytest
import torch
from tests.targets.drawings import drawn

from unet_exp.augmentations.paper import Augmentation
from unet_exp.datasets.sample import Sample
from unet_exp.inference.tta import transformed_images
from unet_exp.losses.classes_and_flows import ClassesAndFlows
from unet_exp.postprocessing.flows import FollowedFlows
from unet_exp.targets.flows import Flows
from unet_exp.targets.target import Directed, Target, require_match, target_tensor, turned
from unet_exp.training.supervision import Supervised
from unet_exp.training.tiles import Tiles

LABELS = drawn(
    """
    ................
    .111111222222...
    .111111222222...
    .111111222222...
    .111111222222...
    .111111222222...
    .........2222...
    ......3.........
    ...33333........
    ...33333........
    ...33333........
    ................
    """
)


class Network:
    out_channels = 4


def perfect(labels: np.ndarray) -> torch.Tensor:
    """The output that the loss asks for."""
    classes, *flow = target_tensor(Flows().encode(labels).target)
    return torch.stack([20 * (0.5 - classes), 20 * (classes - 0.5), 5 * flow[0], 5 * flow[1]])[None]


def test_it_is_a_target_with_its_loss() -> None:
    assert isinstance(Flows(), Target)
    assert isinstance(Flows(), Directed)
    require_match(Flows(), Network(), ClassesAndFlows())
    loss = ClassesAndFlows()(
        perfect(LABELS),
        target_tensor(Flows().encode(LABELS).target)[None],
        torch.ones(1, *LABELS.shape),
    )
    assert float(loss) < 1e-4


def test_touching_squares_lead_to_their_own_middle() -> None:
    labels = np.kron([[1, 2]], np.ones((5, 5), int))
    classes, down, right = Flows().encode(labels).target
    assert (classes == 1).all()
    assert right[2].round(4).tolist() == [1, 1, 0, -1, -1, 1, 1, 0, -1, -1]
    assert down[:, 2].round(4).tolist() == [1, 1, 0, -1, -1]


def test_unknown_pixels_and_drawn_classes() -> None:
    labels = np.array([[1, 1, 1, 0, -1, 0]])
    target = Flows(num_classes=3).encode(labels, np.array([[2, 2, 2, 0, 0, 255]], np.uint8))
    np.testing.assert_array_equal(target.target[0], [[2, 2, 2, 0, np.nan, np.nan]])
    np.testing.assert_array_equal(target.target[2], [[1, 0, -1, 0, np.nan, np.nan]])
    np.testing.assert_array_equal(target.classes, [[2, 2, 2, 0, 255, 255]])
    assert Flows(num_classes=3).out_channels == 5


def test_evidence_is_classes_and_vectors_no_longer_than_1() -> None:
    output = torch.tensor([0.0, 0.0, 3.0, 4.0, 0.0, 0.0, 6.0, 8.0]).reshape(2, 4, 1, 1)
    found = Flows().evidence(output)[..., 0, 0]
    torch.testing.assert_close(found, torch.tensor([[0.5, 0.5, 0.6, 0.8]] * 2))


def test_perfect_outputs_give_the_objects_back() -> None:
    evidence = Flows().evidence(perfect(LABELS))[0]
    found = FollowedFlows()(evidence).numpy()
    np.testing.assert_array_equal(found, LABELS)


def test_vectors_turn_and_keep_their_length() -> None:
    values = np.array([7, 0.5, 0], np.float32).reshape(3, 1, 1)
    quarter = np.array([[0.0, 1.0], [-2.0, 0.0]])
    assert Flows().turned(values, quarter).ravel().tolist() == [7, 0, -0.5]
    unknown = np.full((2, 2, 1, 1), np.nan)
    turned = Flows().turned(values, unknown)
    assert turned[0] == 7
    assert np.isnan(turned[1:]).all()


@pytest.mark.parametrize("tta", ["dihedral", "rotations"])
def test_test_time_augmentation_turns_vectors_back(tta: str) -> None:
    y, x = np.mgrid[:33, :41].astype(np.float32)
    flow = np.stack([16 - y, 20 - x])
    flow /= np.maximum(np.hypot(*flow), 1)
    whole = np.concatenate([np.stack([y * 0, y * 0 + 9]), 5 * flow])
    target = Flows()
    region = (4, 29), (4, 37)
    for transformed in transformed_images(tta, whole):
        rows, columns = transformed.footprint(*region)
        plane = transformed.window(rows, columns)
        # On the plane, a network sees the turned image, and so predicts turned vectors.
        inverse = np.linalg.inv(transformed.matrix)
        plane = np.concatenate([plane[:2], np.einsum("ij,jhw->ihw", inverse, plane[2:])])
        evidence = target.evidence(torch.from_numpy(plane[None].astype(np.float32)))[0].numpy()
        back = turned(target, transformed.restored(evidence, *region), transformed.matrix)
        far = np.hypot(16 - y, 20 - x)[4:29, 4:37] > 3
        np.testing.assert_allclose(back[2:, far], flow[:, 4:29, 4:37][:, far], atol=0.06)


@pytest.mark.parametrize("elastic", [0.0, 2.0])
def test_vectors_of_a_tile_lead_to_where_the_centre_is_there(elastic: float) -> None:
    y, x = np.mgrid[:80, :80]
    labels = np.where(np.hypot(y - 40, x - 40) < 25, 1, 0)
    target = Flows().encode(labels)
    # The brightness is the distance to the centre, so it shows the centre in each tile.
    image = np.hypot(y - 40, x - 40).astype(np.float32)[None]
    sample = Supervised(Sample("a", image), target.target, target.classes, np.ones((80, 80), "f"))
    augment = Augmentation(72, 72, elastic_std=elastic, scale=1.2)
    tiles = Tiles([sample], augment, seed=0, target=Flows())
    for number in range(6):
        tile = tiles[number]
        place = np.unravel_index(tile["image"][0].numpy().argmin(), (72, 72))
        classes, *flow = tile["target"].numpy()
        lead = np.array(place)[:, None, None] - np.indices((72, 72))
        far = np.hypot(*lead)
        cosine = (lead * np.stack(flow)).sum(0) / np.maximum(far, 1)
        assert np.quantile(cosine[(classes == 1) & (far > 6)], 0.05) > np.cos(0.3)
        np.testing.assert_allclose(np.hypot(*flow)[(classes == 1) & (far > 6)], 1, atol=1e-3)
        # Without turning, they would lead anywhere.
        still = Tiles([sample], augment, seed=0)[number]["target"].numpy()[1:]
        wrong = (lead * still).sum(0) / np.maximum(far, 1)
        assert np.quantile(wrong[(classes == 1) & (far > 6)], 0.05) < np.cos(0.3)

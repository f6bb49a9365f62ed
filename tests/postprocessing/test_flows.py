import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from unet_exp.inference.tuning import InTwoSteps, tune
from unet_exp.metrics.seg import SEG
from unet_exp.postprocessing.flow_field import flow_field
from unet_exp.postprocessing.flows import FollowedFlows
from unet_exp.postprocessing.parameters import parameters, with_values


def evidence(labels: np.ndarray, flow: np.ndarray | None = None) -> Tensor:
    """Certain foreground, and the flow of the labels."""
    inside = (labels > 0).astype(np.float32)
    field = flow_field(labels) if flow is None else flow
    return torch.from_numpy(np.concatenate([np.stack([1 - inside, inside]), field]))


def squares() -> np.ndarray:
    labels = np.zeros((20, 40), np.int32)
    labels[3:15, 3:15], labels[3:15, 15:30], labels[15:19, 5:12] = 1, 2, 3
    return labels


def test_touching_objects_come_apart_where_the_flow_parts() -> None:
    np.testing.assert_array_equal(FollowedFlows()(evidence(squares())), squares())


def test_a_ring_and_a_thin_bent_object_stay_whole() -> None:
    labels = np.zeros((40, 60), np.int32)
    ring = cv2.circle(np.zeros((40, 60), np.uint8), (15, 18), 11, 1, 5) > 0
    bent = np.zeros_like(ring)
    bent[5:34, 32:36] = bent[30:34, 32:58] = True
    labels[ring], labels[bent] = 1, 2
    order = labels if labels[labels > 0][0] == 1 else np.where(labels > 0, 3 - labels, 0)
    found = FollowedFlows(fill_holes=False)(evidence(labels)).numpy()
    np.testing.assert_array_equal(found, order)
    filled = FollowedFlows()(evidence(labels)).numpy()
    hole = cv2.circle(np.zeros((40, 60), np.uint8), (15, 18), 8, 1, -1) > 0
    assert (filled[hole] == found[ring][0]).all()


def test_objects_whose_flow_disagrees_are_dropped() -> None:
    labels = squares()
    flow = flow_field(labels)
    # The flow of object 2 has the right direction and a third of its length: its error is 4 / 9.
    flow[:, labels == 2] /= 3
    kept = FollowedFlows(flow_threshold=0.4)(evidence(labels, flow)).numpy()
    assert kept[10, 22] == 0
    assert kept.max() == 2
    all_of_them = FollowedFlows(flow_threshold=0.5)(evidence(labels, flow)).numpy()
    np.testing.assert_array_equal(all_of_them, labels)


def test_small_objects_are_removed_and_the_others_counted_from_1() -> None:
    found = FollowedFlows(min_size=145)(evidence(squares())).numpy()
    np.testing.assert_array_equal(found, np.where(squares() == 2, 1, 0))


def test_few_steps_do_not_meet() -> None:
    assert FollowedFlows(steps=1)(evidence(squares())).max() == 0


def test_evidence_without_flows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"flow=2, but the evidence has the channels 0 to 1\."):
        FollowedFlows()(torch.rand(2, 5, 5))
    with pytest.raises(ValueError, match="flow_threshold"):
        FollowedFlows(flow_threshold=5)


def test_its_values_are_fitted_in_two_steps() -> None:
    labels = squares()
    flow = flow_field(labels) * 0.3  # an error of 0.49, so that 0.4 drops all
    assert isinstance(FollowedFlows(), InTwoSteps)
    case = evidence(labels, flow), torch.from_numpy(labels)
    found = tune(FollowedFlows(steps=60), [case, case], SEG())
    assert found.before == 0
    assert found.after > 0.9
    assert found.chosen.keys() == {"flow_threshold"}
    assert {one.name for one in parameters(FollowedFlows())} >= {"flow_threshold", "steps"}
    assert with_values(FollowedFlows(), {"flow_threshold": 1.0}).flow_threshold == 1

"""What torchmetrics' own tests ask of each metric class (``MetricTester`` in its repository)."""

import pickle

import pytest
import torch
from tests.label_images import scored_image
from tests.measures import MEASURES
from torchmetrics import MetricCollection

every = pytest.mark.parametrize("name", MEASURES)


def collection(name: str) -> MetricCollection:
    """Return a collection of one measure; it picks the arguments that the measure takes."""
    return MetricCollection({"m": MEASURES[name]()})


@every
def test_what_a_class_says_of_itself_cannot_be_changed(name: str) -> None:
    metric = MEASURES[name]()
    for fact in ("is_differentiable", "higher_is_better", "full_state_update"):
        with pytest.raises(RuntimeError, match=fact):
            setattr(metric, fact, None)


@every
def test_copies_count_for_themselves(name: str) -> None:
    image, other = scored_image(0), scored_image(1)
    metric = collection(name)
    metric.update(**image)
    expected = metric.compute()["m"]
    for copy in (metric.clone(), pickle.loads(pickle.dumps(metric))):  # noqa: S301 - our own
        assert type(copy["m"]) is type(metric["m"])
        assert copy["m"] is not metric["m"]
        assert torch.equal(copy.compute()["m"], expected)
        copy.update(**other)
    assert torch.equal(metric.compute()["m"], expected)
    assert hash(metric["m"]) != hash(MEASURES[name]())


@every
def test_a_call_returns_the_score_of_its_batch_and_adds_it(name: str) -> None:
    images = [scored_image(seed) for seed in range(3)]
    called, updated = collection(name), collection(name)
    for image in images:
        alone = collection(name)
        alone.update(**image)
        assert torch.equal(called(**image)["m"], alone.compute()["m"])
        updated.update(**image)
    score = called.compute()["m"]
    assert score.shape == ()
    assert not score.requires_grad
    assert score.item() == pytest.approx(updated.compute()["m"].item(), rel=1e-6)


@every
def test_states_are_saved_on_demand_alone(name: str) -> None:
    metric = collection(name)
    metric.update(**scored_image(0))
    assert metric.state_dict() == {}
    metric.persistent(mode=True)
    loaded = collection(name)
    loaded.persistent(mode=True)
    loaded.load_state_dict(metric.state_dict())
    assert torch.equal(loaded.compute()["m"], metric.compute()["m"])


@every
def test_a_module_in_half_precision_counts_exactly(name: str) -> None:
    image = scored_image(0)
    half, full = collection(name).half(), collection(name)
    half.update(**image)
    full.update(**image)
    assert torch.equal(half.compute()["m"], full.compute()["m"])

"""Each measure takes a batch as torchmetrics does, and refuses ambiguous arguments."""

from collections.abc import Callable

import jaxtyping
import pytest
import torch
from tests.label_images import scored_image
from tests.measures import MEASURES
from torch import Tensor
from torchmetrics import MetricCollection

from unet_exp.metrics.average_precision import average_precision
from unet_exp.metrics.det import det
from unet_exp.metrics.dice import Dice, dice
from unet_exp.metrics.iou import IoU, iou
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.object_f1 import object_f1
from unet_exp.metrics.pixel_error import PixelError, pixel_error
from unet_exp.metrics.rand_error import rand_error
from unet_exp.metrics.seg import SEG, seg
from unet_exp.metrics.v_info import v_info
from unet_exp.metrics.v_rand import v_rand
from unet_exp.metrics.warping_error import warping_error

every = pytest.mark.parametrize("name", MEASURES)
OF_ONE_IMAGE = (average_precision, det, object_f1, rand_error, seg, v_info, v_rand, warping_error)
OF_ANY_SHAPE = (dice, iou, pixel_error)


@pytest.fixture
def as_users_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the checks of annotations, which tests alone have."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def stacked(*images: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: torch.stack([image[name] for image in images]) for name in images[0]}


@every
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_batch_scores_as_its_images_one_by_one(name: str, count: int) -> None:
    images = [scored_image(seed) for seed in range(count)]
    single, batch = (MetricCollection({"m": MEASURES[name]()}) for _ in range(2))
    for image in images:
        single.update(**image)
    batch.update(**stacked(*images))
    assert batch.compute()["m"].item() == pytest.approx(single.compute()["m"].item(), abs=1e-7)
    assert MEASURES[name]()(**_asked(name, stacked(*images))) == batch.compute()["m"]


def test_a_batch_of_as_many_images_as_classes() -> None:
    # Drawn by hand: one wrong pixel of four in the first image, none in the second.
    foreground = torch.tensor([[[0.9, 0.9], [0.1, 0.1]], [[0.9, 0.1], [0.1, 0.1]]])
    truth = torch.tensor([[[1, 0], [0, 0]], [[1, 0], [0, 0]]])
    probabilities = torch.stack([1 - foreground, foreground], dim=1)
    for measure, expected in ((PixelError(), 1 / 8), (IoU(), 2 / 3), (Dice(), 4 / 5)):
        measure.update(probabilities, truth)
        assert measure.compute().item() == pytest.approx(expected)


def test_objects_of_one_number_in_two_images_are_two_objects() -> None:
    # Number 1 is found in the first image (2 of 2 pixels), and missed in the second.
    metric = SEG()
    metric.update(
        torch.tensor([[[1, 1, 0]], [[0, 0, 2]]]), torch.tensor([[[1, 1, 0]], [[1, 1, 0]]])
    )
    assert metric.compute() == 0.5


@every
def test_partial_batches_and_too_many_dimensions_are_refused(name: str) -> None:
    image, batch = scored_image(0), stacked(scored_image(0), scored_image(1))
    asked = list(_asked(name, image))
    for odd in asked:
        with pytest.raises(ValueError, match=r"all of them with one further dimension in front"):
            MEASURES[name]().update(**{k: (batch if k == odd else image)[k] for k in asked})
    with pytest.raises(ValueError, match=r"one further dimension in front"):
        MEASURES[name]().update(**{k: batch[k][None] for k in asked})


@every
def test_sizes_that_differ_are_refused(name: str) -> None:
    for image in (scored_image(0), stacked(scored_image(0), scored_image(1))):
        asked = _asked(name, image)
        first = next(iter(asked))
        for cut in (asked[first][..., :-1], asked[first][..., :-1, :]):
            with pytest.raises(ValueError, match="Give all of one height, width and batch size"):
                MEASURES[name]().update(**{**asked, first: cut})
    with pytest.raises(ValueError, match="batch size"):
        MEASURES[name]().update(**{**asked, first: asked[first][:1]})


@every
def test_probabilities_and_labels_are_not_confused(name: str) -> None:
    asked = _asked(name, scored_image(0))
    for key, value in asked.items():
        other = (value > 0.5).long() if key == "probabilities" else value.float()
        with pytest.raises(TypeError, match=r"Give the probability|are whole numbers"):
            MEASURES[name]().update(**{**asked, key: other})


def test_probabilities_of_the_foreground_alone_are_refused() -> None:
    with pytest.raises(ValueError, match=r"torch.stack\(\[1 - p, p\]"):
        IoU().update(torch.rand(1, 4, 4), torch.ones(4, 4, dtype=torch.long))


def test_functions_of_objects_take_one_image(as_users_run) -> None:
    image, batch = scored_image(0), stacked(scored_image(0), scored_image(1))
    for function in OF_ONE_IMAGE:
        with pytest.raises(ValueError, match="are not one image of"):
            function(batch["instances"], batch["labels"])
        with pytest.raises(ValueError, match="Give both of one shape"):
            function(image["instances"], batch["labels"])


def test_functions_of_pixels_take_any_shape_but_do_not_broadcast(as_users_run) -> None:
    prediction, truth = torch.tensor([[[1, 1]], [[0, 1]]]), torch.tensor([[[1, 0]], [[0, 1]]])
    assert pixel_error(prediction, truth).item() == 1 / 4
    assert iou(prediction, truth).item() == pytest.approx(2 / 3)
    assert dice(prediction, truth).item() == pytest.approx(4 / 5)
    for function in (*OF_ANY_SHAPE, *OF_ONE_IMAGE):
        with pytest.raises(ValueError, match="Give both of one shape"):
            function(prediction, truth[0])
        with pytest.raises(TypeError, match="Threshold or label probabilities first"):
            function(prediction * 0.7, truth)


def test_a_measure_of_the_user_takes_a_batch_too() -> None:
    class Area(Measure):
        total: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.add_sums("total")

        def update(self, labels: Tensor, weight: int = 1) -> None:
            assert labels.ndim == 2
            self.total += weight * (labels > 0).sum()

        def compute(self) -> Tensor:
            return self.total

    area = Area()
    area.update(torch.ones(3, 2, 2, dtype=torch.long), weight=2)
    area.update(labels=torch.ones(2, 2, dtype=torch.long))
    assert area.compute() == 28


def test_a_measure_of_something_else_gets_what_it_is_given() -> None:
    class Mean(Measure):
        total: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.add_sums("total", dtype=torch.float32)

        def update(self, loss: Tensor) -> None:
            self.total += loss.mean()

        def compute(self) -> Tensor:
            return self.total

    mean = Mean()
    mean.update(torch.tensor([[[[1.0, 2.0]]]]))
    assert mean.compute() == 1.5


def _asked(name: str, image: dict[str, Tensor]) -> dict[str, Tensor]:
    """The arguments that a measure asks for."""
    return MEASURES[name]()._filter_kwargs(**image)


@every
@pytest.mark.parametrize(
    "wrong", [lambda p: p * float("nan"), lambda p: p * 5 - 2, lambda p: p * 255, torch.logit]
)
def test_values_that_are_no_probabilities_are_refused(
    name: str, wrong: Callable[[Tensor], Tensor]
) -> None:
    image = scored_image(0)
    image["probabilities"] = wrong(image["probabilities"])
    measure, asked = MEASURES[name](), _asked(name, image)
    if "probabilities" in asked:
        with pytest.raises(ValueError, match="not from 0 to 1"):
            measure.update(**asked)


def test_rounded_probabilities_are_taken() -> None:
    image = scored_image(0)
    image["probabilities"] = image["probabilities"].bfloat16().float() * 1.004
    PixelError().update(image["probabilities"], image["classes"])

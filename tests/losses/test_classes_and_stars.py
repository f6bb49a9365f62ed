from math import log

import pytest
import torch

from unet_exp.losses.classes_and_stars import ClassesAndStars
from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy


def test_one_object_pixel_and_one_of_the_background_by_hand() -> None:
    output = torch.zeros(1, 5, 1, 2)
    output[0, 3:, 0] = torch.tensor([[3.0, 10.0], [7.0, 20.0]])
    target = torch.tensor([[1.0, 0.0], [0.5, 0.0], [4.0, 0.0], [5.0, 0.0]]).reshape(1, 4, 1, 2)
    weights = torch.tensor([[[1.0, 3.0]]])
    # Scores: a logit of 0 costs log 2 for any score; weights 1 and 3, two pixels.
    # Distances: (1 + 2) / 2 in the object. Outside: (0.5 * 5 + 1 * 15) / 2 pixels.
    expected = 2 * log(2) + 0.2 * (1.5 + 1e-4 * 8.75)
    loss = ClassesAndStars(class_weight=0)(output, target, weights)
    torch.testing.assert_close(loss, torch.tensor(expected))
    with_classes = ClassesAndStars()(output, target, weights)
    torch.testing.assert_close(with_classes - loss, torch.tensor(2 * log(2)))


def test_the_classes_have_the_usual_cross_entropy() -> None:
    torch.manual_seed(0)
    output, target, weights = torch.randn(2, 8, 3, 4), torch.rand(2, 6, 3, 4), torch.rand(2, 3, 4)
    target[:, 0] = torch.randint(0, 3, (2, 3, 4)).float()
    expected = WeightedCrossEntropy()(output[:, :3], target[:, 0].long(), weights)
    with_them = ClassesAndStars()(output, target, weights)
    without = ClassesAndStars(class_weight=0)(output, target, weights)
    torch.testing.assert_close(with_them - without, expected)


def test_pixels_without_weight_count_nothing() -> None:
    torch.manual_seed(0)
    output, target, weights = torch.randn(2, 7, 4, 5), torch.rand(2, 6, 4, 5), torch.rand(2, 4, 5)
    target[:, 0] = 1
    weights[:, 2:] = 0
    whole = ClassesAndStars()(output, target, weights)
    part = ClassesAndStars()(output[:, :, :2], target[:, :, :2], weights[:, :2])
    torch.testing.assert_close(whole, part)
    assert ClassesAndStars()(output, target, weights * 0) == 0


def test_a_target_of_classes_alone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"class, score and distances.*shape \(1, 2, 2\)"):
        ClassesAndStars()(torch.zeros(1, 4, 2, 2), torch.zeros(1, 2, 2).long(), torch.ones(1, 2, 2))

import pytest
import torch

from unet_exp.losses.classes import require_classes


def test_classes_of_pixels_are_taken() -> None:
    require_classes(torch.zeros(2, 4, 5, dtype=torch.int64))


@pytest.mark.parametrize(
    "target", [torch.zeros(2, 4, 5), torch.zeros(2, 1, 4, 5, dtype=torch.int64)]
)
def test_numbers_and_channels_are_refused(target: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"compares classes \(b, h, w\), and the target is"):
        require_classes(target)

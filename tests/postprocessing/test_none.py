import torch

from unet_exp.postprocessing.none import ClassMap


def test_is_the_class_map() -> None:
    probabilities = torch.rand(5, 6, 7, generator=torch.Generator().manual_seed(0))
    classes = ClassMap()(probabilities)
    assert classes.dtype == torch.int32
    assert torch.equal(classes.long(), probabilities.argmax(0))


def test_half_precision() -> None:
    assert ClassMap()(torch.tensor([[[0.2, 0.9]], [[0.8, 0.1]]]).half()).tolist() == [[1, 0]]

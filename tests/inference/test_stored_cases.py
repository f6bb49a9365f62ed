import pytest
import torch

from unet_exp.inference.stored_cases import StoredCases


def test_beyond_the_limit_they_come_from_a_file() -> None:
    images = [torch.rand(2, 3, size) for size in (4, 5, 6, 7)]
    labels = [torch.full(image.shape[1:], number) for number, image in enumerate(images)]
    limit = images[0].nbytes + images[1].nbytes
    with StoredCases(limit) as cases:
        for image, label in zip(images, labels, strict=True):
            cases.append(image, label)
        assert len(cases) == 4
        for index in (3, 0, 2, 1):
            found, label = cases[index]
            assert found.dtype == torch.float32
            assert torch.equal(found, images[index] if index < 2 else images[index].half().float())
            assert torch.equal(label, labels[index])
        assert [int(label[0, 0]) for _, label in cases[1:]] == [1, 2, 3]
        assert cases.file.seek(0, 2) == (images[2].nbytes + images[3].nbytes) / 2
    with pytest.raises(ValueError, match="closed"):
        cases.file.read()


def test_an_index_beyond_the_end() -> None:
    with StoredCases() as cases, pytest.raises(IndexError):
        cases[0]

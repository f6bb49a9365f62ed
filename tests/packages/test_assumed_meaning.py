import numpy as np
import pytest
import torch

from tests.packages.packing import npy
from unet_exp.packages.archive import PackageError
from unet_exp.packages.assumed_meaning import AssumedMeaning, meaning_of, read_npy


@pytest.mark.parametrize(
    ("values", "channel", "meaning"),
    [
        ([[0.0, 1.0]], None, "foreground"),
        ([[0.0, 1.1]], None, "sigmoid"),
        ([[[0.1, 0.9]]], 0, "foreground"),
        ([[0.25, 1.0], [0.75, 0.0]], 0, "classes"),
        ([[0.25, 1.0], [0.75, 1.0]], 0, "first"),
        ([[-1.0, 3.0], [2.0, 0.0]], 0, "softmax"),
    ],
)
def test_an_example_tells_logits_from_probabilities(
    values: list[list[float]], channel: int | None, meaning: str
) -> None:
    assert meaning_of(np.array(values), channel) == meaning


@pytest.mark.parametrize(
    ("meaning", "evidence"),
    [
        ("foreground", [1 - 0.5, 0.5]),
        ("sigmoid", [0.377541, 0.622459]),
        ("first", [0.5, 0.5]),
        ("classes", [0.5, 2.0]),
        ("softmax", [0.182426, 0.817574]),
    ],
)
def test_evidence_is_of_classes_background_first(meaning: str, evidence: list[float]) -> None:
    output = torch.tensor([0.5, 2.0])[: 1 if meaning in ("foreground", "sigmoid") else 2]
    target = AssumedMeaning(len(output), meaning)
    found = target.evidence(output[None, :, None, None]).flatten()
    assert torch.allclose(found, torch.tensor(evidence), atol=1e-6)
    assert target.num_classes == 2


def test_numbers_are_read() -> None:
    assert read_npy(npy([[1.5, 2.0]]), "output.npy").tolist() == [[1.5, 2.0]]


def test_files_with_false_claims_are_refused() -> None:
    true = npy(np.zeros((2, 50), np.float32))
    # A shape of the same length in letters, so that the header stays whole.
    deep = true.replace(b"{'descr':", b"{(((((((:")
    for content in (true.replace(b"(2, 50)", b"(9, 99)"), true[:-4], deep, b"text", b""):
        with pytest.raises(PackageError, match=r"output\.npy is no NPY file of numbers"):
            read_npy(content, "output.npy")
    with pytest.raises(PackageError, match="it holds object"):
        read_npy(npy(np.array([{}], object)), "output.npy")

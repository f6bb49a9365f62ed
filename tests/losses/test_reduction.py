"""Losses of a batch that two processes share: `python -m tests.losses.test_reduction 0 STORE`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from unet_exp.losses.dice import Dice
from unet_exp.losses.weighted_binary_cross_entropy import WeightedBinaryCrossEntropy
from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy
from unet_exp.losses.weighted_sum import WeightedSum


def losses() -> dict[str, tuple[nn.Module, int]]:
    """By name, with the channels of logits that each takes."""
    return {
        "mean": (WeightedCrossEntropy(), 2),
        "sum": (WeightedCrossEntropy("sum"), 2),
        "binary": (WeightedBinaryCrossEntropy(), 1),
        "dice": (Dice(), 2),
        "weighted_sum": (WeightedSum({"a": Dice(background=True), "b": WeightedCrossEntropy()}), 2),
    }


def batch(channels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Two images; in the first one a pixel counts, in the second all do."""
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(2, channels, 3, 4, generator=random)
    target = torch.randint(0, 2, (2, 3, 4), generator=random)
    weights = 1 + torch.rand(2, 3, 4, generator=random)
    weights[0].flatten()[1:] = 0
    return logits, target, weights


def loss_and_gradient(loss: nn.Module, part: slice, channels: int) -> tuple[float, Tensor]:
    logits, target, weights = batch(channels)
    logits.requires_grad_()
    value = loss(logits[part], target[part], weights[part])
    value.backward()
    assert logits.grad is not None
    return value.item(), logits.grad


def main(rank: int, store: str) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=2
    )
    found = {}
    for name, (loss, channels) in losses().items():
        value, gradient = loss_and_gradient(loss, slice(rank, rank + 1), channels)
        torch.distributed.all_reduce(gradient)  # as data-parallel training does
        alone = loss.eval()(*(half[rank : rank + 1] for half in batch(channels))).item()
        found[name] = value, (gradient / 2).tolist(), alone
    print(json.dumps(found))
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, tuple[float, list, float]]]:
    store = tmp_path_factory.mktemp("store") / "store"
    words = [sys.executable, "-m", "tests.losses.test_reduction"]
    processes = [
        subprocess.Popen(
            [*words, str(rank), str(store)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    return [json.loads(process.communicate(timeout=120)[0]) for process in processes]


@pytest.mark.parametrize("name", losses())
def test_two_processes_have_the_loss_and_gradient_of_the_whole_batch(
    halves: list[dict[str, tuple[float, list, float]]], name: str
) -> None:
    loss, channels = losses()[name]
    value, gradient = loss_and_gradient(loss, slice(0, 2), channels)
    for half in halves:
        assert half[name][0] == pytest.approx(value, rel=1e-6)
        torch.testing.assert_close(torch.tensor(half[name][1]), gradient)


@pytest.mark.parametrize("name", losses())
def test_in_evaluation_each_process_has_its_own(
    halves: list[dict[str, tuple[float, list, float]]], name: str
) -> None:
    loss, channels = losses()[name]
    for rank, half in enumerate(halves):
        own = loss.eval()(*(part[rank : rank + 1] for part in batch(channels)))
        assert half[name][2] == pytest.approx(own.item())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

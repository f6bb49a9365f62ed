from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from unet_exp.configuration import schema

CONF = Path(__file__).parents[2] / "conf"


@pytest.fixture(autouse=True)
def hydra() -> Iterator[None]:
    schema.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield


@pytest.mark.parametrize("option", sorted(path.stem for path in (CONF / "loss").glob("*.yaml")))
def test_each_option_is_a_loss(option: str) -> None:
    loss = instantiate(compose(overrides=[f"+loss={option}"]).loss, _convert_="all")
    maps = option == "classes_and_flows"  # two, after the classes
    channels = 1 if option == "weighted_binary_cross_entropy" else 4 if maps else 2
    logits = torch.zeros(1, channels, 4, 4, requires_grad=True)
    classes = torch.ones(1, 4, 4, dtype=int)
    target = classes[:, None].float() if option == "classes_and_distances" else classes
    if maps:
        target = torch.ones(1, 3, 4, 4)
    loss(logits, target, torch.ones(1, 4, 4)).backward()
    assert logits.grad is not None
    assert (logits.grad[0, -1] < 0).all()


def test_the_terms_of_a_sum_have_their_own_schema() -> None:
    cfg = compose(overrides=["+loss=weighted_sum", "loss.terms.dice.smooth=2"])
    assert instantiate(cfg.loss, _convert_="all").terms["dice"].smooth == 2.0
    with pytest.raises(Exception, match=r"Could not override 'loss.terms.dice.smoth'"):
        compose(overrides=["+loss=weighted_sum", "loss.terms.dice.smoth=2"])

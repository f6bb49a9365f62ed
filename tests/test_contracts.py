from typing import Protocol

import pytest

from unet_exp.contracts import members, require_contract


class Named(Protocol):
    name: str


class Measured(Named, Protocol):
    @property
    def size(self) -> int: ...

    def __call__(self, image: object) -> object: ...


def test_the_members_of_a_protocol_and_of_its_bases() -> None:
    assert members(Measured) == ["name", "size", "__call__"]


def test_missing_members_are_named() -> None:
    class Half:
        name = "half"

    with pytest.raises(TypeError, match=r"model: \S+Half lacks size, __call__\. \S+\.Measured"):
        require_contract("model", Half(), Measured)
    with pytest.raises(TypeError, match=r"what a model needs\. Take another\.$"):
        require_contract("model", Half(), Measured, "Take another.")
    require_contract("model", Half(), Named)

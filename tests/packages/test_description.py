from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packages.packing import SIZE, axes, description, following, pack
from unet_exp.packages.archive import Archive, PackageError
from unet_exp.packages.description import Description, Sides, parse, read_description


def read(tmp_path: Path, said: Any) -> Description:
    return read_description(Archive(pack(tmp_path / "model.zip", said)))


def test_a_description_is_read(tmp_path: Path) -> None:
    output = {"axes": following(-16, channels=3, halo=2)}
    found = read(tmp_path, description(outputs=[output]))
    assert (found.axes, found.channels, found.sides) == (("bcyx", "bcyx"), (1, 3), Sides(8, 4))
    assert (found.lost, found.halo, found.unet_exp) == (16, 2, None)


def test_axes_may_come_in_any_order_and_be_missing(tmp_path: Path) -> None:
    batch, channel, y, x = axes(64)
    found = read(
        tmp_path,
        description(inputs=[{"axes": [batch, y, x, channel]}], outputs=[{"axes": [x, y]}]),
    )
    assert found.axes == ("byxc", "xy")
    assert found.sides == Sides(64, 0)
    time = {"type": "time", "size": 1}
    assert read(tmp_path, description(inputs=[{"axes": [time, y, x]}])).axes[0] == "tyx"


def test_format_0_4(tmp_path: Path) -> None:
    step = {"name": "zero_mean_unit_variance", "kwargs": {"axes": "xy", "mode": "per_sample"}}
    fixed = {"min": [1, 1, 64, 64], "step": [0, 0, 16, 16]}
    given = {
        "reference_tensor": "image", "scale": [1.0, 0, 1.0, 1.0], "offset": [0, 1, -8, -8],
    }  # fmt: skip
    said = description(
        format_version="0.4.10",
        inputs=[{"name": "image", "axes": "bcyx", "shape": fixed, "preprocessing": [step]}],
        outputs=[{"name": "out", "axes": "bcyx", "shape": given, "halo": [0, 0, 4, 4]}],
        test_outputs=["output.npy"],
    )
    found = read(tmp_path, said)
    assert (found.axes[0], found.channels, found.sides) == ("bcyx", (1, 2), Sides(64, 16))
    assert (found.lost, found.halo) == (16, 4)
    assert found.preprocessing[0].value == {
        "id": "zero_mean_unit_variance", "kwargs": {"axes": ["x", "y"]},
    }  # fmt: skip
    assert found.test_output.text("source") == "output.npy"


@pytest.mark.parametrize("name", ["scale", "offset"])
def test_format_0_4_with_another_number_of_sizes_is_refused(tmp_path: Path, name: str) -> None:
    given = {"reference_tensor": "image", "scale": [1.0] * 4, "offset": [0] * 4} | {name: [1] * 5}
    shape = {"min": [1, 1, 64, 64], "step": [0, 0, 16, 16]}
    said = description(
        format_version="0.4.10",
        inputs=[{"name": "image", "axes": "bcyx", "shape": shape}],
        outputs=[{"name": "out", "axes": "bcyx", "shape": given}],
    )
    with pytest.raises(PackageError, match="axes=bcyx and 5 sizes"):
        read(tmp_path, said)


def tensor(**given: Any) -> list[dict[str, Any]]:
    return [{"axes": axes(SIZE)} | given]


DEPTH = [*axes(SIZE), {"type": "space", "id": "z", "size": SIZE}]
OBLONG = [*axes(SIZE)[:3], {"type": "space", "id": "x", "size": 64}]
CROSSED = [*following()[:3], following()[2] | {"id": "x"}]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"type": "dataset"}, "type=dataset, format_version=0.5.4. Give a model of format"),
        ({"format_version": "0.3.6"}, r"format_version=0.3.6"),
        ({"format_version": 5}, "format_version=5. Write a text"),
        ({"name": None}, "has no name. Complete the description"),
        ({"inputs": {}}, "inputs=a dict. Write a list"),
        ({"inputs": tensor() * 2}, "2 inputs and 1 outputs. Give a network that takes one"),
        ({"inputs": tensor(axes=DEPTH)}, "has the axis z. Give a network for 2D images"),
        ({"inputs": tensor(axes=axes(SIZE)[:3])}, "axes b, c, y. Give a network with axes y and x"),
        ({"inputs": tensor(axes=axes(SIZE)[:1] * 2)}, "has the axis batch twice"),
        ({"inputs": tensor(axes=["y", "x"])}, r"axes\[0\], has y. Write fields there"),
        ({"inputs": tensor(axes=OBLONG)}, "sizes of y that differ from those of x"),
        ({"inputs": tensor(axes=axes({"min": 8, "step": 0}))}, "step=0. Write a whole number"),
        ({"inputs": tensor(axes=axes({"min": 10**9, "step": 1}))}, "min=1000000000"),
        ({"inputs": tensor(axes=axes(True))}, "size=True"),
        ({"outputs": tensor(axes=following(2))}, "offset=2. Write a whole number from"),
        ({"outputs": tensor(axes=following(scale=2))}, "another scale than the image"),
        ({"outputs": tensor(axes=CROSSED)}, "a size that follows another axis. Let y follow y"),
        ({"outputs": tensor(axes=following(halo=-1))}, "halo=-1. Write a whole number from 0"),
        ({"weights": {"torchscript": {}}}, "weights of the kind torchscript. Give one with ONNX"),
        ({"weights": {}}, "weights of the kind none"),
        ({"config": [1]}, "config, has a list"),
    ],
)
def test_unusable_descriptions_are_refused(tmp_path: Path, given: Any, told: str) -> None:
    with pytest.raises(PackageError, match=told):
        read(tmp_path, description(**given))


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "model.zip", description())
    archive = Archive(path)
    archive.members.pop("rdf.yaml")
    with pytest.raises(PackageError, match=r"no BioImage.IO package: it has no rdf.yaml.*\.ckpt"):
        read_description(archive)


LAUGHS = "a0: &a0 [ha]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("&all [*all, *all]", "has more than 100000 values, references included"),
        (LAUGHS, "has more than 100000 values, references included"),
        ("a: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("a: " + "[" * 5000, "recursion depth"),
        ("a: " + "9" * 5000, "number of 5000 letters"),
        ("a: " + ":".join(["59"] * 5000), "number of 14999 letters"),
        ("a: [", "expected"),
        ("a: \0", "unacceptable character"),
        ("- a", "rdf.yaml in .*zip has a list. Write fields"),
    ],
)
def test_hostile_yaml_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(PackageError, match=told):
        read(tmp_path, text.encode())


def test_plain_yaml_is_read_as_by_the_library() -> None:
    said = yaml.safe_dump(description(timestamp="2024-01-01", text="x" * 1000), sort_keys=False)
    assert parse(said.encode(), "rdf.yaml") == yaml.safe_load(said)

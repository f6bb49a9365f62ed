"""Which outputs may be chosen."""

from pathlib import Path

import numpy as np
import pytest
from tests.prediction.outputs.drawings import DRAWN, segmented

from unet_exp.prediction.outputs.choices import OUTPUTS, chosen_outputs
from unet_exp.prediction.result_files import PerImageWriter


def names(**options: object) -> list[str]:
    writer = PerImageWriter(Path("out"), chosen_outputs(**options))  # pyright: ignore[reportArgumentType]
    return [path.name for path in writer.files(Path("scans/a.png"))]


def test_usual_outputs() -> None:
    assert names() == ["a_probabilities.tif", "a_instances.tif"]
    assert names(classes=True) == ["a_probabilities.tif", "a_classes.tif", "a_instances.tif"]


def test_all_outputs_have_their_own_file() -> None:
    assert names(names=[*OUTPUTS], kind="zarr", classes=True) == [
        "a_probabilities.zarr", "a_classes.zarr", "a_overlay.png", "a_objects.csv", "a_rois.zip",
        "a_objects.geojson", "a_instances.zarr",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [(["mask"], "outputs=mask is unknown. Choose some of probabilities, "), ([], "writes nothing"),
     (["classes"], "the network has only two")],
)  # fmt: skip
def test_wrong_outputs_are_named(given: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chosen_outputs(given)


class Full:
    """Instances on a disk that fails."""

    shape = (4, 6)
    dtype = np.dtype(np.uint32)

    def __getitem__(self, key: object) -> np.ndarray:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    "name", [name for name in OUTPUTS if name not in ("probabilities", "classes")]
)
def test_a_failed_write_leaves_nothing_half_written(tmp_path: Path, name: str) -> None:
    [output] = chosen_outputs([name])
    output.write(tmp_path / "a.out", segmented(DRAWN))
    before = (tmp_path / "a.out").read_bytes()
    with pytest.raises(OSError, match="No space left"):
        output.write(tmp_path / "a.out", segmented(DRAWN, instances=[Full()]))
    assert [path.name for path in tmp_path.iterdir()] == ["a.out"]
    assert (tmp_path / "a.out").read_bytes() == before

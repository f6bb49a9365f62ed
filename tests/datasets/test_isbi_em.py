import numpy as np
import pytest
from numpy.testing import assert_array_equal

from unet_exp.datasets.isbi_em import IsbiEm


@pytest.fixture
def volumes(write, tmp_path):
    """Ten slices of two cells and a membrane between them, with a gap in slice 3."""
    labels = np.full((10, 16, 16), 255, np.uint8)
    labels[:, :, 4] = 0
    labels[3, 7, 4] = 255
    rng = np.random.default_rng(0)
    write("isbi_em/train-volume.tif", rng.integers(0, 255, labels.shape, dtype=np.uint8))
    write("isbi_em/train-labels.tif", labels)
    write("isbi_em/test-volume.tif", rng.integers(0, 255, labels.shape, dtype=np.uint8))
    return tmp_path


def test_labels_are_the_regions_between_membranes(volumes) -> None:
    samples = [*IsbiEm(str(volumes)).split("validation"), *IsbiEm(str(volumes)).split("train")]
    assert [s.labels.max() for s in samples] == [2, 2, 2, 1] + [2] * 6
    assert_array_equal(samples[0].labels[0], [1] * 4 + [0] + [2] * 11)


def test_regions_that_touch_by_a_corner_stay_apart(write, volumes) -> None:
    write("isbi_em/train-labels.tif", np.tile(np.eye(16, dtype=np.uint8) * 255, (10, 1, 1)))
    assert IsbiEm(str(volumes)).split("train")[0].labels.max() == 16


def test_folds_are_blocks_of_neighbours(volumes) -> None:
    data = IsbiEm(str(volumes), fold=2)
    assert [s.name for s in data.split("validation")] == ["train-volume_04", "train-volume_05"]
    assert [s.name[-2:] for s in data.split("train")] == [
        f"{i:02d}" for i in (0, 1, 2, 3, 6, 7, 8, 9)
    ]


def test_test_slices_have_labels_only_if_there_are_some(volumes, write) -> None:
    assert [s.labels for s in IsbiEm(str(volumes)).split("test")] == [None] * 10
    write("isbi_em/test-labels.tif", np.full((10, 16, 16), 255, np.uint8))
    assert [s.labels.max() for s in IsbiEm(str(volumes)).split("test")] == [1] * 10


def test_an_inner_folder_is_searched_and_each_file_is_read_once(volumes, reads) -> None:
    (volumes / "isbi_em").rename(volumes / "inner")
    (volumes / "isbi_em").mkdir()
    (volumes / "inner").rename(volumes / "isbi_em" / "ISBI-2012-challenge")
    data = IsbiEm(str(volumes))
    for split in ("train", "validation", "test") * 2:
        data.split(split)
    assert sorted(reads.values()) == [1, 1, 1]


def test_each_slice_is_normalised_by_itself(volumes) -> None:
    for sample in IsbiEm(str(volumes)).split("train"):
        assert sample.image.mean() == pytest.approx(0, abs=1e-5)


def test_wrong_files(volumes, write) -> None:
    with pytest.raises(ValueError, match="no fold 5 of 5"):
        IsbiEm(str(volumes), fold=5).split("train")
    write("isbi_em/train-labels.tif", np.full((9, 16, 16), 255, np.uint8))
    with pytest.raises(ValueError, match="differ in slices or in size"):
        IsbiEm(str(volumes)).split("train")
    with pytest.raises(ValueError, match="has 1 channels, not 3"):
        IsbiEm(str(volumes), in_channels=3).split("test")
    (volumes / "isbi_em/test-volume.tif").unlink()
    with pytest.raises(FileNotFoundError, match=r"No test-volume\.tif"):
        IsbiEm(str(volumes)).split("test")
    with pytest.raises(FileNotFoundError, match=r"No train-volume\.tif .* in .*nowhere/isbi_em"):
        IsbiEm(str(volumes / "nowhere"), download=False)


@pytest.mark.data
def test_the_challenges_slices(real_data) -> None:
    data = IsbiEm(str(real_data))
    samples = [*data.split("validation"), *data.split("train")]
    assert [s.image.shape for s in samples] == [(1, 512, 512)] * 30
    assert samples[0].labels.max() == 136  # scikit-image counts as many
    membrane = np.mean([(s.labels == 0).mean() for s in samples])
    assert membrane == pytest.approx(0.2196, abs=1e-4)
    assert len(data.split("test")) == 30

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from unet_exp.datasets.cell_tracking import CellTracking
from unet_exp.datasets.labels.files import read_labels
from unet_exp.datasets.sequences import find_sequences


def names(samples) -> list[str]:
    return [sample.name for sample in samples]


def test_a_fold_validates_on_the_gold_of_one_sequence_and_trains_on_the_others(challenge) -> None:
    for annotations, frames in [("gold", "1"), ("silver", "012"), ("gold+silver", "012")]:
        data = CellTracking("set", str(challenge), fold=1, annotations=annotations)
        assert names(data.split("train")) == [f"{s}_t00{n}" for s in ("01", "03") for n in frames]
        assert names(data.split("validation")) == ["02_t001"]
        assert list(data.split("test")) == []
        assert data.folds == 3  # sequences 01, 02 and 03


def test_labels_by_annotation(challenge, squares) -> None:
    def frame_1(annotations: str) -> np.ndarray:
        data = CellTracking("set", str(challenge), annotations=annotations)
        return next(s.labels for s in data.split("train") if s.name == "02_t001")

    all_three = squares((4, 4), (4, 20), (20, 8)).astype(np.int32)
    assert_array_equal(frame_1("silver"), all_three)
    assert_array_equal(frame_1("gold+silver"), all_three)
    gold = frame_1("gold")
    assert_array_equal(np.unique(gold), [-1, 0, 1, 2])
    assert_array_equal(gold.clip(0), np.where(all_three == 3, 0, all_three))
    y, x = np.nonzero(gold == -1)
    assert (y.min(), y.max(), x.min(), x.max()) == (15, 30, 3, 18)  # cell 3 and 5 pixels around


def test_validation_labels_do_not_depend_on_the_choice_of_annotations(challenge) -> None:
    gold, silver, both = (
        CellTracking("set", str(challenge), annotations=a).split("validation")[0].labels
        for a in ("gold", "silver", "gold+silver")
    )
    assert_array_equal(gold, silver)
    assert_array_equal(gold, both)
    assert (gold == -1).any()


def test_a_sequence_without_gold_is_validated_on_silver(challenge) -> None:
    (challenge / "set/01_GT/SEG/man_seg001.tif").unlink()
    data = CellTracking("set", str(challenge), fold=0)
    assert names(data.split("validation")) == ["01_t000", "01_t001", "01_t002"]
    assert all((s.labels >= 0).all() for s in data.split("validation"))
    with pytest.raises(ValueError, match=r"no gold masks\. It has 0 gold and 3 silver ones"):
        CellTracking("set", str(challenge), fold=1).split("train")


def test_unlabelled_pixels_near_the_border_can_be_left_out(challenge, squares) -> None:
    data = CellTracking("set", str(challenge), annotations="silver", border=3)
    labels = data.split("train")[0].labels
    cells = squares((4, 4), (4, 20), (20, 8)).astype(np.int32)
    edge = np.pad(np.zeros((26, 26), bool), 3, constant_values=True)
    assert_array_equal(labels, np.where(edge & (cells == 0), -1, cells))


@pytest.mark.parametrize(("border", "unknown"), [(None, True), (0, False)])
def test_the_border_of_a_known_set_is_left_out(challenge, border, unknown) -> None:
    """Frames of 32 x 32 pixels lie wholly within 25 pixels of a border."""
    (challenge / "set").rename(challenge / "Fluo-N2DL-HeLa")
    data = CellTracking("Fluo-N2DL-HeLa", str(challenge), annotations="silver", border=border)
    labels = data.split("train")[0].labels
    assert (labels == -1).any() == unknown
    assert (labels == 0).any() != unknown


def test_a_negative_border_is_refused(challenge) -> None:
    with pytest.raises(ValueError, match=r"dataset\.border=-3 is out of range"):
        CellTracking("set", str(challenge), border=-3)


def test_markers_are_those_of_tracking(challenge, squares) -> None:
    markers = squares((6, 6), (6, 22), (22, 10), side=2).astype(np.int32)
    for split in ("train", "validation"):
        for sample in CellTracking("set", str(challenge)).split(split):
            assert_array_equal(sample.markers, markers)
    (sample,) = CellTracking("set", str(challenge), border=3).split("validation")
    edge = np.pad(np.zeros((26, 26), bool), 3, constant_values=True)
    assert_array_equal(sample.markers, np.where(edge, -1, markers))
    (challenge / "set/01_GT/TRA/man_track001.tif").unlink()
    (sample,) = CellTracking("set", str(challenge)).split("validation")
    assert sample.markers is None


def test_four_digits_eight_bits_and_zscore(write, squares, tmp_path) -> None:
    for sequence in ("01", "02"):
        frame = np.full((32, 32), 9, np.uint8)
        frame[0] = 201
        write(f"set/{sequence}/t0012.tif", frame)
        write(f"set/{sequence}_GT/SEG/man_seg0012.tif", squares((4, 4)))
    (sample,) = CellTracking("set", str(tmp_path)).split("train")
    assert sample.name == "02_t0012"
    assert sample.image.mean() == pytest.approx(0, abs=1e-6)
    assert sample.image.std() == pytest.approx(1)
    assert sample.path == tmp_path / "set/02/t0012.tif"


def test_each_file_is_read_once(challenge, reads) -> None:
    data = CellTracking("set", str(challenge), annotations="gold+silver")
    for _ in range(2):
        for split in ("train", "validation", "test"):
            data.split(split)
    assert set(reads.values()) == {1}
    assert len(reads) == 6 * 3 + 2 + 4  # two sequences of 3 frames and their gold; one gold frame


def test_above_the_limit_arrays_are_mapped_from_the_cache(challenge) -> None:
    samples = CellTracking("set", str(challenge)).split("train")
    mapped = CellTracking("set", str(challenge), memory_limit=0.0).split("train")
    for sample, twin in zip(samples, mapped, strict=True):
        assert isinstance(twin.image, np.memmap)
        assert isinstance(twin.labels, np.memmap)
        assert isinstance(twin.markers, np.memmap)
        assert_array_equal(sample.image, twin.image)
        assert_array_equal(sample.labels, twin.labels)
    assert list((challenge / ".unet_exp_cache").glob("*.npy"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": ""}, "dataset.name is not given"),
        ({"annotations": "bronze"}, "dataset.annotations=bronze is unknown. Choose one of gold"),
        ({"fold": 3}, r"dataset.fold=3 does not exist: .* has 3 annotated .* \(01, 02, 03"),
        ({"fold": -1}, "dataset.fold=-1 does not exist"),
    ],
)  # fmt: skip
def test_wrong_settings(challenge, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        CellTracking(**{"name": "set", "data_dir": str(challenge), **options})


def test_a_single_sequence_cannot_be_split(challenge) -> None:
    for sequence in ("02", "03"):
        (challenge / "set" / sequence).rename(challenge / f"away{sequence}")
    with pytest.raises(ValueError, match="validates on one of at least two"):
        CellTracking("set", str(challenge))


def test_missing_data_are_one_clear_error(tmp_path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        CellTracking("DIC-C2DH-HeLa", str(tmp_path), download=False)
    message = str(caught.value)
    assert str(tmp_path / "DIC-C2DH-HeLa") in message
    site = "http://data.celltrackingchallenge.net/training-datasets/DIC-C2DH-HeLa.zip"
    assert site in message
    assert "dataset.download=true" in message
    assert "UNET_EXP_DATA" in message


def test_files_that_do_not_fit(challenge, write) -> None:
    write("set/02/t001.tif", np.zeros((32, 30), np.uint8))
    with pytest.raises(ValueError, match=r"t001.tif is 32 x 30 pixels, .*man_seg001.tif 32 x 32"):
        CellTracking("set", str(challenge)).split("train")
    write("set/02/t001.tif", np.zeros((32, 32), np.uint8))
    mask = "set/02_ST/SEG/man_seg001.tif"
    whole = read_labels(challenge / mask)[0].astype(np.uint16)
    write(mask, whole[:9])  # one of the masks that are joined
    with pytest.raises(ValueError, match=r"is 32 x 32 pixels, .*02_ST/SEG/man_seg001.tif 9 x 32"):
        CellTracking("set", str(challenge), annotations="gold+silver").split("train")
    write(mask, whole)
    write("set/02/t001.tif", np.zeros((5, 32, 32), np.uint8))
    with pytest.raises(ValueError, match=r"t001.tif has 5 slices, but only 2D sets"):
        CellTracking("set", str(challenge)).split("train")
    write("set/02/t001.tif", np.zeros((32, 32), np.uint8))
    with pytest.raises(ValueError, match=r"has 1 channels, not 2. Set dataset.in_channels=1"):
        CellTracking("set", str(challenge), in_channels=2).split("train")
    (challenge / "set/02/t001.tif").unlink()
    with pytest.raises(ValueError, match="has no frame 1, for which there is a mask"):
        CellTracking("set", str(challenge)).split("train")
    with pytest.raises(ValueError, match="There is no split 'valid'"):
        CellTracking("set", str(challenge)).split("valid")


# Read off the files: gold objects, markers, and markers without gold of every gold frame.
HELA = {
    "01": {2: (10, 10, 0), 5: (10, 10, 0), 21: (11, 11, 0), 31: (13, 13, 0), 33: (13, 13, 0),
           34: (12, 13, 1), 39: (13, 14, 1), 54: (13, 13, 0), 67: (3, 18, 15)},
    "02": {6: (10, 10, 0), 7: (9, 10, 1), 14: (9, 10, 1), 27: (11, 11, 0), 34: (10, 10, 0),
           38: (11, 11, 0), 42: (9, 11, 2), 61: (14, 15, 1), 67: (14, 15, 1)},
}  # fmt: skip


@pytest.mark.data
def test_on_hela_only_frames_that_lack_cells_have_unknown_pixels(real_data) -> None:
    for fold, sequence in enumerate(find_sequences(real_data / "DIC-C2DH-HeLa")):
        samples = CellTracking("DIC-C2DH-HeLa", str(real_data), fold=fold, border=0).split(
            "validation"
        )
        counts = HELA[sequence.name]
        assert names(samples) == [f"{sequence.name}_t{n:03d}" for n in counts]
        for sample, (number, (gold, tracked, missing)) in zip(samples, counts.items(), strict=True):
            markers = read_labels(sequence.markers[number])[0]
            assert_array_equal(sample.markers, markers)
            assert len(np.unique(markers)) - 1 == tracked
            assert sample.labels.max() == len(np.unique(sample.labels[sample.labels > 0])) == gold
            found = [(sample.labels[markers == i] > 0).mean() > 0.5 for i in np.unique(markers)[1:]]
            assert found.count(False) == missing
            assert (sample.labels[markers > 0] != 0).mean() > 0.95
            assert (sample.labels == -1).any() == (missing > 0)


@pytest.mark.data
def test_on_hela_01_067_fifteen_unlabelled_cells_are_no_background(real_data) -> None:
    (hela, _) = find_sequences(real_data / "DIC-C2DH-HeLa")
    markers, silver = (read_labels(files[67])[0] for files in (hela.markers, hela.silver))

    def frame(annotations: str) -> np.ndarray:
        data = CellTracking(
            "DIC-C2DH-HeLa", str(real_data), fold=1, annotations=annotations, border=0
        )
        return next(s.labels for s in data.split("train") if s.name == "01_t067")

    gold = frame("gold")
    missing = [4, 5, 8, 10, 12, 14, 16, 18, 21, 28, 30, 35, 36, 39, 56]  # silver bears these, too
    assert (gold[np.isin(markers, missing)] == -1).all()
    unlabelled = np.isin(silver, missing)
    assert unlabelled.sum() == 137_661
    assert (gold[unlabelled] != 0).all()
    assert (gold[unlabelled] == -1).mean() > 0.99  # the rest is under gold
    assert 0.1 < (gold == 0).mean() < 0.5  # background is still taught where there surely is some
    both = frame("gold+silver")
    assert both.min() == 0
    assert both.max() == 18
    for i in (1, 2, 3):
        assert_array_equal(both == i, gold == i)


@pytest.mark.parametrize(
    "name", ["../elsewhere", "/etc", "a/b", "a\\b", "..", ".hidden", "a..b", "c:", "~", "a b\n"]
)
def test_the_name_of_a_set_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a plain name"):
        CellTracking(name, str(tmp_path), download=False)


def test_numbers_of_masks_and_markers_may_be_of_any_size(challenge) -> None:
    # Cells and markers belong together by where they lie, so their numbers need not agree.
    plain = CellTracking("set", str(challenge), download=False)
    before = [*plain.split("train"), *plain.split("validation")]
    for number, path in enumerate(sorted(challenge.glob("set/*_*T/*/*.tif"))):
        mask = tifffile.imread(path)
        large = np.where(mask > 0, mask.astype(np.uint64) + np.uint64(2**33 + number), 0)
        tifffile.imwrite(path, large.astype(np.uint64))
    large = CellTracking("set", str(challenge), download=False)
    for one, other in zip(before, [*large.split("train"), *large.split("validation")], strict=True):
        assert one.markers is not None
        assert_array_equal(one.labels, other.labels)
        assert_array_equal(one.markers, other.markers)


def test_a_mask_of_several_pages_is_refused(challenge, write, squares) -> None:
    mask = squares((4, 4), (4, 20))
    write("set/01_GT/SEG/man_seg001.tif", np.stack([mask, mask * 0]))
    data = CellTracking("set", str(challenge), fold=0)
    with pytest.raises(ValueError, match=r"man_seg001\.tif has 2 pages, and its frame is one im"):
        data.split("validation")

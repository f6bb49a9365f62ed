import logging
import unicodedata

import cv2
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image

from unet_exp.datasets.folder import Folder

RNG = np.random.default_rng(0)


def grey(*shape: int) -> np.ndarray:
    return RNG.integers(0, 4000, shape, dtype=np.uint16)


def names(samples) -> list[str]:
    return [sample.name for sample in samples]


@pytest.fixture
def cells(squares) -> np.ndarray:
    return squares((2, 2), (2, 20), (20, 8))


@pytest.fixture
def own(write, cells, tmp_path):
    """Six 16-bit images with instances, named so that plain sorting would misplace the last."""
    for number in (1, 2, 3, 4, 5, 10):
        write(f"images/t{number}.tif", grey(32, 32))
        write(f"labels/t{number}.tif", cells)
    return tmp_path


def test_a_folder_of_images_and_one_of_labels(own, cells, caplog) -> None:
    with caplog.at_level(logging.INFO):
        data = Folder(str(own), folds=3, fold=2)
    assert names(data.split("train")) == ["t1", "t2", "t3", "t4"]
    assert names(data.split("validation")) == ["t5", "t10"]
    assert list(data.split("test")) == []
    assert (data.name, data.in_channels, data.num_classes) == (own.name, 1, 2)
    sample = data.split("train")[0]
    assert_array_equal(sample.labels, cells)
    assert sample.classes is None
    assert sample.path == own / "images/t1.tif"
    assert sample.image.std() == pytest.approx(1)
    (line,) = [r.getMessage() for r in caplog.records]
    assert "4 images to train on, 2 to validate on, 32 x 32 pixels, 1 channel(s)" in line
    assert "labels read as instances, 2 classes, 18 regions" in line


def test_two_stacks(write, cells, tmp_path) -> None:
    write("images.tif", grey(4, 32, 32))
    write("labels.tif", np.stack([cells] * 4))
    data = Folder(str(tmp_path), folds=2)
    assert names(data.split("validation")) == ["images_000", "images_001"]
    assert names(data.split("train")) == ["images_002", "images_003"]


def test_colour_png_with_masks_of_0_and_255(tmp_path, cells) -> None:
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"images/{number}.png"), (grey(32, 32, 3) % 256).astype("u1"))
        cv2.imwrite(str(tmp_path / f"labels/{number}_mask.png"), ((cells > 0) * 255).astype("u1"))
    data = Folder(str(tmp_path))
    assert (data.in_channels, data.num_classes, data.decoder.kind) == (3, 2, "binary")
    assert data.split("train")[0].image.shape == (3, 32, 32)
    assert data.split("train")[0].labels.max() == 3


def test_classes_with_an_unknown_value(write, tmp_path) -> None:
    classes = np.kron([[1, 2, 1], [0, 1, 255], [2, 0, 2]], np.ones((8, 8))).astype(np.uint8)
    for number in range(2):
        write(f"images/{number}.tif", grey(24, 24).astype(np.float32))
        write(f"labels/{number}.tif", classes)
    data = Folder(str(tmp_path))
    assert (data.num_classes, data.decoder.kind) == (3, "classes")
    sample = data.split("train")[0]
    assert_array_equal(sample.classes, classes)
    assert_array_equal(sample.labels == -1, classes == 255)
    assert sample.labels.max() == 6


def test_unnamed_planes_are_channels_when_the_labels_have_one_page(write, cells, tmp_path) -> None:
    for number in range(2):
        write(f"images/{number}.tif", grey(5, 32, 32))
        write(f"labels/{number}.tif", cells)
    assert Folder(str(tmp_path)).in_channels == 5


def test_a_validation_folder_takes_the_place_of_the_blocks(own, write, cells) -> None:
    write("validation/images/v.tif", grey(40, 32))
    write("validation/labels/v.tif", np.pad(cells, ((0, 8), (0, 0))))
    data = Folder(str(own))
    assert len(data.split("train")) == 6
    assert names(data.split("validation")) == ["v"]
    assert data.folds == 1
    assert "2 sizes" in data.describe()


def test_a_test_folder_may_lack_labels(own, write, cells) -> None:
    write("test/images/x.tif", grey(32, 32))
    assert [s.labels for s in Folder(str(own)).split("test")] == [None]
    write("test/labels/x.tif", cells)
    assert [s.labels.max() for s in Folder(str(own)).split("test")] == [3]


def test_two_images_are_enough_for_any_number_of_folds(own) -> None:
    for number in (3, 4, 5, 10):
        for folder in ("images", "labels"):
            (own / folder / f"t{number}.tif").unlink()
    data = Folder(str(own), fold=1)
    assert (names(data.split("train")), names(data.split("validation"))) == (["t1"], ["t2"])
    assert data.folds == 2


def test_each_file_is_read_once(own, write, reads) -> None:
    write("test/images/x.tif", grey(32, 32))
    data = Folder(str(own))
    for split in ("train", "validation", "test") * 2:
        data.split(split)
    assert len(reads) == 13
    assert set(reads.values()) == {1}


def test_above_the_limit_arrays_are_mapped(own) -> None:
    sample = Folder(str(own), memory_limit=0.0).split("train")[0]
    assert isinstance(sample.image, np.memmap)
    assert_array_equal(sample.image, Folder(str(own)).split("train")[0].image)


def test_no_root_or_a_wrong_one() -> None:
    with pytest.raises(ValueError, match=r"dataset.root is not given.*dataset.root=path/to/folder"):
        Folder()
    with pytest.raises(FileNotFoundError, match=r"dataset\.root=no/such is no folder"):
        Folder("no/such")


def test_partners_and_sizes_that_differ(own, write) -> None:
    write("labels/t10.tif", np.ones((32, 31), np.uint8))
    with pytest.raises(ValueError, match=r"t10.tif is 32 x 32 pixels, .*t10.tif 32 x 31"):
        Folder(str(own))
    (own / "labels/t10.tif").unlink()
    with pytest.raises(ValueError, match=r"no partner of that name in .*labels: t10.tif"):
        Folder(str(own))
    write("labels/t10.tif", np.ones((2, 32, 32), np.uint8))
    with pytest.raises(ValueError, match=r"t10.tif has 1 pages, .*t10.tif 2"):
        Folder(str(own))


def test_channels_that_differ(own, write) -> None:
    planes = {"photometric": "minisblack", "metadata": {"axes": "CYX"}}
    tifffile.imwrite(own / "images/t10.tif", grey(3, 32, 32), **planes)
    differ = r"t10.tif has 3, others have 1.*channels=rgb is for colours, and its 3 channels are"
    with pytest.raises(ValueError, match=differ):
        Folder(str(own))
    with pytest.raises(ValueError, match=r"t1.tif has 1 channels, not 2. Set .*in_channels=1"):
        Folder(str(own), in_channels=2)


def test_grey_colours_and_transparency_in_one_folder(own, caplog) -> None:
    colours = RNG.integers(0, 256, (32, 32, 4), np.uint8)
    Image.fromarray(colours[..., :3]).save(own / "images/t1.tif")
    Image.fromarray(colours).save(own / "images/t2.png")
    (own / "images/t2.tif").unlink()
    data = Folder(str(own), normalization="none")
    assert (data.in_channels, data.channels) == (3, "rgb")
    assert "All are read as colours" in caplog.text
    samples = {s.name: s.image for s in (*data.split("train"), *data.split("validation"))}
    assert_array_equal(samples["t1"], colours[..., :3].transpose(2, 0, 1))
    assert_array_equal(samples["t2"], colours[..., :3].transpose(2, 0, 1))
    assert len(samples["t3"]) == 3
    assert_array_equal(samples["t3"], samples["t3"][[0, 0, 0]])
    data = Folder(str(own), channels="luminance")
    assert (data.in_channels, data.channels) == (1, "luminance")


def test_channels_are_chosen_of_images_and_not_of_labels(own) -> None:
    planes = {"photometric": "minisblack", "metadata": {"axes": "CYX"}}
    for path in (own / "images").iterdir():
        tifffile.imwrite(path, grey(3, 32, 32), **planes)
    data = Folder(str(own), channels=[2, 0])
    assert (data.in_channels, data.channels) == (2, [2, 0])


def test_labels_that_compression_changes_are_refused(own) -> None:
    (own / "labels/t1.tif").unlink()
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(own / "labels/t1.jpg")
    with pytest.raises(ValueError, match=r"t1.jpg is of a format that may change the numbers"):
        Folder(str(own))


def test_empty_masks_are_refused_only_if_all_are(own, write) -> None:
    for number in (1, 2, 3, 4, 5):
        write(f"labels/t{number}.tif", np.zeros((32, 32), np.uint8))
    assert len(Folder(str(own)).split("train")) == 4
    write("labels/t10.tif", np.zeros((32, 32), np.uint8))
    with pytest.raises(ValueError, match=r"all 6 label images are empty"):
        Folder(str(own))


def test_broken_files_are_named(own, write) -> None:
    write("images/t3.tif", np.full((32, 32), np.nan, np.float32))
    with pytest.raises(ValueError, match=r"t3.tif has 1024 values of 1024 that are NaN"):
        Folder(str(own))
    data = (own / "labels/t4.tif").read_bytes()
    (own / "labels/t4.tif").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"labels/t4.tif cannot be read"):
        Folder(str(own))


def test_a_single_image_cannot_be_split(write, cells, tmp_path) -> None:
    write("images.tif", grey(32, 32))
    write("labels.tif", cells)
    with pytest.raises(ValueError, match=r"holds a single image.*validation/labels"):
        Folder(str(tmp_path))


def test_masks_of_different_numbers_are_all_inside_and_outside(own, write, cells, caplog) -> None:
    for number, inside in ((1, 1), (2, 255), (3, 200), (4, 1), (5, 255), (10, 65535)):
        write(f"labels/t{number}.tif", np.where(cells > 0, inside, 0).astype(np.uint16))
    with caplog.at_level(logging.INFO):
        data = Folder(str(own))
    assert (data.decoder.kind, data.num_classes) == ("binary", 2)
    for sample in (*data.split("train"), *data.split("validation")):
        assert_array_equal(sample.labels, cells)  # in the order of rows, as they were drawn
        assert sample.classes is None
    assert "labels read as binary (inside is 1 or 200 or 255 or 65535), 2 classes" in caplog.text


def test_label_files_of_different_kinds_are_named(own, write, cells) -> None:
    write("labels/t3.tif", np.where(cells > 0, 2, 0).astype(np.uint8))
    with pytest.raises(
        ValueError,
        match=r"In .*, labels differ in kind.*outside, as labels/t3.tif.*as in labels/t1.tif",
    ):
        Folder(str(own))
    stripes = np.kron([[1, 2, 1, 2]], np.ones((32, 8))).astype(np.uint8)
    write("labels/t3.tif", stripes)
    with pytest.raises(
        ValueError,
        match=r"one piece, as in labels/t1.tif, .*classes, as in labels/t3.tif \(0, 1, 2\)",
    ):
        Folder(str(own))
    assert Folder(str(own), labels="instances").decoder.kind == "instances"


def test_the_validation_folder_and_pages_of_a_stack_are_compared_too(
    write, cells, tmp_path
) -> None:
    mask = np.where(cells > 0, 255, 0).astype(np.uint16)
    write("images.tif", grey(3, 32, 32))
    write("labels.tif", np.stack([cells, cells, mask]))
    with pytest.raises(
        ValueError, match=r"outside, as labels.tif page 3 .*as in labels.tif page 1"
    ):
        Folder(str(tmp_path))
    write("labels.tif", np.stack([cells] * 3))
    write("validation/images/v.tif", grey(32, 32))
    write("validation/labels/v.tif", mask)
    with pytest.raises(ValueError, match=r"outside, as validation/labels/v.tif"):
        Folder(str(tmp_path))


def test_the_test_folder_is_read_as_the_others_or_refused(own, write, cells) -> None:
    write("test/images/x.tif", grey(32, 32))
    write("test/labels/x.tif", np.where(cells > 0, 255, 0).astype(np.uint16))
    data = Folder(str(own))
    with pytest.raises(ValueError, match=r"outside, as test/labels/x.tif"):
        data.split("test")
    for number in (1, 2, 3, 4, 5, 10):
        write(f"labels/t{number}.tif", (cells > 0).astype(np.uint8))
    assert_array_equal(Folder(str(own)).split("test")[0].labels, cells)
    write("test/labels/x.tif", cells[:, :14])
    write("test/images/x.tif", grey(32, 14))
    write("labels/t1.tif", np.where(cells == 1, 1, 0).astype(np.uint8))
    for number in (2, 3, 4, 5, 10):
        write(f"labels/t{number}.tif", np.where(cells == 1, 1, 0).astype(np.uint8))
    data = Folder(str(own))
    with pytest.raises(
        ValueError, match=r"read as binary, but those in .*test look like instances"
    ):
        data.split("test")


def test_classes_of_the_test_folder_are_counted(own, write) -> None:
    stripes = np.kron([[1, 2, 1, 2]], np.ones((32, 8))).astype(np.uint8)
    for number in (1, 2, 3, 4, 5, 10):
        write(f"labels/t{number}.tif", stripes)
    write("test/images/x.tif", grey(32, 32))
    write("test/labels/x.tif", stripes + 1)
    data = Folder(str(own))
    with pytest.raises(ValueError, match=r"class 3 \(test/labels/x.tif\), but .*num_classes=3"):
        data.split("test")


def test_palettes_colours_and_large_numbers_are_read_alike(own, cells) -> None:
    palette = Image.fromarray(cells.astype(np.uint8))
    palette.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0])
    for number, kind in (
        (1, "palette"),
        (2, "colours"),
        (3, np.uint32),
        (4, np.uint64),
        (5, float),
    ):
        (own / f"labels/t{number}.tif").unlink()
        path = own / f"labels/t{number}.png"
        if kind == "palette":
            palette.save(path)
        elif kind == "colours":
            cv2.imwrite(str(path), np.asarray(palette.convert("RGB"))[..., ::-1])
        else:
            factor = np.iinfo(kind).max // 3 if kind is not float else 2**20
            ids = cells.astype(kind) * kind(factor)
            tifffile.imwrite(path.with_suffix(".tif"), ids, photometric="minisblack")
    data = Folder(str(own))
    assert data.decoder.kind == "instances"
    for sample in (*data.split("train"), *data.split("validation")):
        assert_array_equal(np.unique(sample.labels), [0, 1, 2, 3])
        _, places = np.unique(cells, return_inverse=True)
        order = [0, 2, 1, 3] if sample.name == "t2" else [0, 1, 2, 3]  # green is less than maroon
        assert_array_equal(sample.labels, np.array(order)[places].reshape(cells.shape))


def test_images_and_labels_named_in_other_unicode_forms(own) -> None:
    for folder, form in (("images", "NFD"), ("labels", "NFC")):
        name = unicodedata.normalize(form, "Zelle_ä.tif")
        (own / folder / "t3.tif").rename(own / folder / name)
    assert len(Folder(str(own)).split("train")) + len(Folder(str(own)).split("validation")) == 6


def test_every_file_that_cannot_be_used_is_named(own, write) -> None:
    (own / "images" / "t1.tif").write_bytes(b"no image")
    (own / "images" / "t3.tif").write_bytes(b"")
    write("images/t10.tif", grey(31, 32))
    with pytest.raises(ValueError, match="3 of 6 files cannot be used") as caught:
        Folder(str(own))
    told = str(caught.value)
    assert all(f"t{number}.tif" in told for number in (1, 3, 10))
    assert not any(f"t{number}.tif" in told for number in (2, 4, 5))


def test_every_label_file_that_cannot_be_used_is_named(own) -> None:
    for number in (2, 4):
        (own / "labels" / f"t{number}.tif").write_bytes(b"no image")
    with pytest.raises(ValueError, match="2 of 6 files cannot be used") as caught:
        Folder(str(own))
    assert all(f"labels/t{number}.tif" in str(caught.value) for number in (2, 4))

import os
import re
import time
import unicodedata
from pathlib import Path

import pytest

from unet_exp.datasets.pairing import (
    find_pairs,
    list_files,
    natural_key,
    pair,
    require_layout,
    stem,
)


def paths(*names: str) -> list[Path]:
    return [Path(name) for name in names]


def test_frames_are_listed_in_natural_order_without_hidden_files(tmp_path, caplog) -> None:
    for name in ("t10.tif", "t9.tif", "t1.PNG", ".DS_Store", "._t1.PNG", "notes.txt"):
        (tmp_path / name).touch()
    assert [p.name for p in list_files(tmp_path)] == ["t1.PNG", "t9.tif", "t10.tif"]
    assert "notes.txt" in caplog.text


def test_natural_order_mixes_numbers_and_words() -> None:
    names = ["b2", "a10", "10", "a", "2", "a2b10", "a2b9"]
    ordered = sorted(paths(*names), key=natural_key)
    assert [p.name for p in ordered] == ["2", "10", "a", "a2b9", "a2b10", "a10", "b2"]


def test_partners_have_one_stem_or_differ_by_a_known_ending() -> None:
    assert stem(Path("x/a.b.ome.tif")) == "a.b"
    images = paths("i/a.tif", "i/b_image.tif", "i/c.ome.tif", "i/d.tif")
    labels = paths("l/b_masks.png", "l/a.png", "l/d_cp_masks.png", "l/c_LABEL.tif")
    partners = [label.name for _, label in pair(images, labels)]
    assert partners == ["a.png", "b_masks.png", "c_LABEL.tif", "d_cp_masks.png"]


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (["a", "b", "c"], ["a"], r"2 file\(s\) in i have no partner .* in l: b.tif, c.tif"),
        (["a"], ["a", "b"], r"1 file\(s\) in l have no partner of that name in i: b.tif"),
        (["a", "c"], ["a", "b"], r"in i have no .* in l: c.tif; .* in l have no .* in i: b.tif"),
        (["a"], ["a_mask", "a_label"], "Several files in i or l are named a"),
        (["a"], ["a", "a_mask"], "in l have no partner of that name in i: a_mask.tif"),
        ([f"{n:02d}" for n in range(12)], ["x"], "09.tif and 2 more"),
    ],
)  # fmt: skip
def test_doubtful_partners_are_refused_by_name(images, labels, message) -> None:
    with pytest.raises(ValueError, match=message):
        pair(paths(*(f"i/{n}.tif" for n in images)), paths(*(f"l/{n}.tif" for n in labels)))


def test_two_files_of_one_stem_are_refused() -> None:
    with pytest.raises(ValueError, match="Several files in i or l are named a"):
        pair(paths("i/a.png", "i/a.tif"), paths("l/a.png"))


def test_missing_folders_are_named_with_the_layout(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"neither images/ nor images\.tif"):
        find_pairs(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(FileNotFoundError, match=r"neither labels/ nor labels\.tif"):
        find_pairs(tmp_path)
    (tmp_path / "labels").mkdir()
    with pytest.raises(ValueError, match=r"images holds no file .*PNG.*, nothing"):
        find_pairs(tmp_path)
    (tmp_path / "images" / "a.gif").touch()
    with pytest.raises(ValueError, match=r"only a\.gif\. Convert the images to PNG or TIFF"):
        find_pairs(tmp_path)
    (tmp_path / "labels").rmdir()
    (tmp_path / "labels.tif").touch()
    with pytest.raises(ValueError, match="one is a file and the other a folder"):
        find_pairs(tmp_path)


def test_two_stacks_or_no_labels(tmp_path) -> None:
    for name in ("images.tif", "labels.tif", "images.txt"):
        (tmp_path / name).touch()
    assert find_pairs(tmp_path) == [(tmp_path / "images.tif", tmp_path / "labels.tif")]
    (tmp_path / "labels.tif").unlink()
    assert find_pairs(tmp_path, labelled=False) == [(tmp_path / "images.tif", None)]
    with pytest.raises(FileNotFoundError, match="does not exist"):
        list_files(tmp_path / "labels")


def forms(name: str) -> tuple[str, str]:
    composed, apart = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    assert composed != apart
    return composed, apart


@pytest.mark.parametrize("name", ["Zellkörper", "가나다", "naïve_é_01", "Å"])
def test_a_name_is_the_same_in_every_unicode_form(name) -> None:
    for image, label in (forms(name), forms(name)[::-1]):
        images, labels = paths(f"i/{image}.tif", "i/b.tif"), paths("l/b.png", f"l/{label}_mask.png")
        assert pair(images, labels) == [(images[0], labels[1]), (images[1], labels[0])]


def test_two_files_of_one_name_in_two_forms_are_refused() -> None:
    composed, apart = forms("ö")
    with pytest.raises(ValueError, match=r"Several files in i or l are named ö \('\\xf6'\)"):
        pair(paths(f"i/{composed}.tif", f"i/{apart}.tif"), paths(f"l/{composed}.tif"))


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("a.TIF", "a.tif"), ("a.tif", "a.PNG"), ("a.Ome.Tif", "a.ome.tiff"), ("A.OME.TIF", "A.png"),
        ("Cell1.tif", "cell1.png"), ("CELL_Image.tif", "cell_MASK.png"),
        ("5\u00b5m.tif", "5\u03bcm.tif"), ("\ufb01x.tif", "fix.tif"),
    ],
)  # fmt: skip
def test_capitals_and_signs_that_mean_the_same_make_no_difference(image, label) -> None:
    assert pair(paths(f"i/{image}"), paths(f"l/{label}")) == [
        (Path("i") / image, Path("l") / label)
    ]


def test_capitals_count_where_names_differ_by_them_alone() -> None:
    images, labels = paths("i/a.tif", "i/A.tif"), paths("l/A.png", "l/a.png")
    assert pair(images, labels) == [(images[0], labels[1]), (images[1], labels[0])]
    with pytest.raises(ValueError, match="Several files in i or l are named a"):
        pair(images, paths("l/a_x.png", "l/b.png"))


LOOK_ALIKES = [
    ("cell.tif", "c\u0435ll.tif"),  # a Cyrillic letter
    ("cell.tif", "cell\u200b.tif"),  # a space without width
    ("cell 1.tif", "cell  1.tif"),
    ("cell 1.tif", "cell\u00a01x.tif"),
    ("cell.tif", "cell .tif"),
    ("cell1.tif", "cell1\x1b[0m.tif"),
    ("e\u0301.tif", "e\u0341\u0301.tif"),  # two accents on one letter
    ("cell.tif", "cell\udce9.tif"),  # no Unicode at all
]


@pytest.mark.parametrize(("image", "label"), LOOK_ALIKES)
def test_lists_of_files_without_a_partner_never_look_alike(image, label) -> None:
    with pytest.raises(ValueError, match="have no partner") as caught:
        pair(paths(f"i/{image}"), paths(f"l/{label}"))
    parts = re.findall(r"of that name in [il]: (.*?)(?:; 1 file|\. Give)", str(caught.value))
    assert len(parts) == 2
    # What is beyond ASCII is said by its code as well, and signs that are not seen by it alone.
    bare = [part.encode("ascii", "ignore").decode() for part in parts]
    assert bare[0] != bare[1]
    assert str(caught.value).isprintable()
    assert str(caught.value).encode()


def test_a_name_may_hold_digits_that_are_no_decimals() -> None:
    names = ["a²", "a10", "a9", "②", "a٣"]  # the last ends in an Arabic three
    assert [p.name for p in sorted(paths(*names), key=natural_key)] == [
        "a٣",
        "a9",
        "a10",
        "a²",
        "②",
    ]


def test_ten_thousand_files_are_paired_at_once() -> None:
    images = paths(*(f"i/{n}.tif" for n in range(10_000)))
    start = time.process_time()
    assert len(pair(images, paths(*(f"l/{n}_mask.tif" for n in range(10_000))))) == 10_000
    assert time.process_time() - start < 5


def test_folders_and_broken_links_with_image_names_are_refused(tmp_path) -> None:
    (tmp_path / "a.tif").touch()
    (tmp_path / "b.png").symlink_to("nowhere.png")
    (tmp_path / "c.tif").mkdir()
    os.mkfifo(tmp_path / "d.npy")
    (tmp_path / "notes").mkdir()
    with pytest.raises(ValueError, match=r"named like images: b\.png, c\.tif, d\.npy\. Move them"):
        list_files(tmp_path)


def test_a_layout_is_checked_in_validation_too_without_messages(tmp_path, caplog) -> None:
    for folder in ("images", "labels", "validation/images"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.tif").touch()
        (tmp_path / folder / "notes.txt").touch()
    with pytest.raises(FileNotFoundError, match="validation holds neither labels/ nor "):
        require_layout(str(tmp_path))
    (tmp_path / "validation" / "labels").mkdir()
    (tmp_path / "validation" / "labels" / "a.png").touch()
    require_layout(str(tmp_path))
    assert not caplog.text


def test_for_one_of_the_two_folders_the_error_names_their_parent(tmp_path) -> None:
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for folder in ("images", "labels"):
        with pytest.raises(FileNotFoundError, match=rf"holds both: dataset\.root={tmp_path}\."):
            require_layout(str(tmp_path / folder))

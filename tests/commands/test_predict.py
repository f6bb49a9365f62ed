"""Image files of several formats become probabilities and instances of the same sizes."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
import torch
import zarr
from hydra.core.global_hydra import GlobalHydra

from tests.running import TINY, TINY_FILES, Command, Finished
from unet_exp.commands import train
from unet_exp.files import numbering
from unet_exp.prediction import segment_files


@pytest.fixture
def network(trained: Path, tmp_path: Path) -> str:
    """The override for a checkpoint that was moved alone to an empty folder."""
    (tmp_path / "alone").mkdir()
    shutil.copy(trained / "checkpoints" / "best.ckpt", tmp_path / "alone" / "net.ckpt")
    return "checkpoint=alone/net.ckpt"


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a network of three channels and three classes."""
    folder = tmp_path_factory.mktemp("colours") / "run"
    arguments = ("dataset.in_channels=3", "dataset.num_classes=3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNET_EXP_CACHE", str(folder.parent / "cache"))
        patch.setenv("HYDRA_FULL_ERROR", "")
        patch.setattr(sys, "argv", ["train.py", *TINY, *arguments, f"hydra.run.dir={folder}"])
        GlobalHydra.instance().clear()
        with pytest.raises(SystemExit) as end:
            train.main()
    assert end.value.code == 0
    return folder / "checkpoints" / "last.ckpt"


def picture(*shape: int, seed: int = 0) -> np.ndarray:
    """Smooth blobs of grey values from 0 to 1."""
    noise = np.random.default_rng(seed).random(shape)
    return np.clip(cv2.GaussianBlur(noise, (5, 5), 2) * 4 - 1.5, 0, 1) if noise.ndim == 2 else noise


def read(name: str, folder: str = "out") -> tuple[np.ndarray, np.ndarray]:
    """What was written for an image: probabilities and instances."""
    return tuple(
        tifffile.imread(Path(folder) / f"{name}_{kind}.tif")
        for kind in ("probabilities", "instances")
    )


def written(folder: str = "out") -> list[str]:
    found = {p.name for p in Path(folder).iterdir()} if Path(folder).exists() else set()
    return sorted(found - {"predict.json"})


def refused(done: Finished, *words: str) -> None:
    assert done.code == 1
    assert "Traceback" not in done.out + done.err
    assert done.err.count("Error:") == 1
    for word in words:
        assert word in done.err


def save(path: str, array: np.ndarray) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if path.endswith(".png"):
        assert cv2.imwrite(path, array)
    else:
        tifffile.imwrite(path, array, photometric="minisblack")


#: Odd sides, one smaller than a tile, and every depth of grey values.
KINDS = {
    "scans/eight.png": (picture(37, 53) * 255).astype(np.uint8),
    "scans/sixteen.png": (picture(64, 41) * 40_000).astype(np.uint16),
    "scans/eight_tiff.tif": (picture(101, 33) * 255).astype(np.uint8),
    "scans/sixteen_tiff.tiff": (picture(5, 7) * 40_000).astype(np.uint16),
    "scans/float.tif": picture(70, 70).astype(np.float32),
}


def test_a_folder_of_any_images(command: Command, network: str) -> None:
    for path, array in KINDS.items():
        save(path, array)
    Path("scans/notes.txt").touch()
    Path("scans/._eight.png").touch()  # what a Mac leaves behind
    done = command("predict", network, "input=scans", "output=out")
    assert done.code == 0, done.err
    assert "5 of 5 images" in done.out
    assert len(written()) == 10
    for path, array in KINDS.items():
        probabilities, instances = read(Path(path).stem)
        assert probabilities.dtype == np.float32
        assert instances.dtype == np.uint16
        assert probabilities.shape == instances.shape == array.shape
        assert 0 <= probabilities.min() < probabilities.max() <= 1
        # Without holes filled, instances are where the probability is above one half.
        assert instances[probabilities > 0.5].all()
    assert {p.name for p in Path.cwd().iterdir()} == {"alone", "scans", "out"}


def test_a_glob_and_a_file_give_what_the_folder_gives(command: Command, network: str) -> None:
    for path in ("scans/eight.png", "scans/sub/float.tif"):
        save(path, KINDS.get(path, KINDS["scans/float.tif"]))
    assert command("predict", network, "input=scans/**/*.*", "output=both").code == 0
    assert written("both") == [
        f"{name}_{kind}.tif"
        for name in ("eight", "float")
        for kind in ("instances", "probabilities")
    ]
    assert command("predict", network, "input=scans/eight.png", "output=deep/one").code == 0
    for one, other in zip(read("eight", "deep/one"), read("eight", "both"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_page_means_the_same_alone_and_in_its_stack(command: Command, network: str) -> None:
    pages = np.stack([picture(45, 31, seed=i) * (1 + i) for i in range(3)]).astype(np.float32)
    save("scans/stack.tif", pages)
    save("scans/page.tif", pages[1])
    assert command("predict", network, "input=scans", "output=out").code == 0
    for stack, page in zip(read("stack"), read("page"), strict=True):
        assert stack.shape == pages.shape
        np.testing.assert_array_equal(stack[1], page)


def test_several_channels_and_classes(command: Command, colours: Path) -> None:
    image = (np.stack([picture(40, 56, seed=i) for i in range(3)]) * 255).astype(np.uint8)
    save("scans/colours.png", image.transpose(1, 2, 0)[..., ::-1])
    axes = {"axes": "CYX"}
    tifffile.imwrite("scans/planes.tif", image, photometric="minisblack", metadata=axes)
    save("scans/grey.png", image[0])
    done = command("predict", f"checkpoint={colours}", "input=scans", "output=out")
    refused(done, "1 of 3 files were left out: grey.png")
    assert "grey.png has 1 channels" in done.out
    for png, tiff in zip(read("colours"), read("planes"), strict=True):
        np.testing.assert_array_equal(png, tiff)
    probabilities, instances = read("planes")
    assert probabilities.shape == (3, 40, 56)
    np.testing.assert_allclose(probabilities.sum(0), 1, atol=1e-5)
    assert instances.shape == (40, 56)


def test_images_that_cannot_be_segmented_are_named_and_left_out(
    command: Command, network: str
) -> None:
    good = KINDS["scans/float.tif"]
    save("scans/b_good.tif", good)
    save("scans/a_cut.tif", good)
    content = Path("scans/a_cut.tif").read_bytes()
    Path("scans/a_cut.tif").write_bytes(content[: len(content) // 2])
    save("scans/c_nan.tif", np.where(good > 0.9, np.float32(np.nan), good))
    save("scans/d_colours.png", (picture(20, 20, 3) * 255).astype(np.uint8))
    Path("scans/e_empty.png").touch()
    done = command("predict", network, "input=scans", "output=out")
    refused(done, "4 of 5 files were left out: a_cut.tif, c_nan.tif, d_colours.png, e_empty.png")
    for words in (
        "a_cut.tif cannot be read",
        "c_nan.tif has",
        "NaN",
        "d_colours.png has 3 channel",
    ):
        assert words in done.out
    assert written() == ["b_good_instances.tif", "b_good_probabilities.tif"]
    assert read("b_good")[0].shape == good.shape


def test_given_values_replace_those_of_the_checkpoint(command: Command, network: str) -> None:
    save("a.tif", KINDS["scans/float.tif"])
    for threshold, count in ((0, 1), (1, 0)):
        words = (f"postprocessing.threshold={threshold}", "inference.tile=64", "overwrite=true")
        assert command("predict", network, "input=a.tif", "output=out", *words).code == 0
        assert read("a")[1].max() == count
    other = command("predict", network, "input=a.tif", "output=other", "postprocessing=watershed")
    assert other.code == 0, other.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["input=none.tif"], ["No image at none.tif", "quoted glob"]),
        (["input=no/*.tif"], ["No image at no/*.tif"]),
        (["input=alone"], ["No image in alone", ".png"]),
        (["input=twins"], ["same.png and", "same.tif would both", "different output folders"]),
        (["input=twins", "output=twins/out"], ["output=twins/out lies inside input=twins"]),
        (["input=a.tif", "format=jpeg"], ["format=jpeg is unknown. Choose one of auto, tiff"]),
        (["input=a.tif", "probability_type=int8"], ["probability_type=int8 is unknown"]),
        (["input=a.tif", "tta=all"], ["tta=all is unknown. Choose one of none, rotations"]),
        (["input=a.tif", "output=."], ["output=. holds the images themselves"]),
        (["input=a.tif", "output=a.tif"], ["a.tif cannot be made", "a file is in its place"]),
        (["input=a.tif", "+postprocessing.treshold=1"], ["Did you mean postprocessing.threshold?"]),
        (["input=a.tif", "checkpoint=a.tif"], ["a.tif cannot be read as a checkpoint"]),
        (["input=a.tif", "checkpoint=none.ckpt"], ["No checkpoint at none.ckpt"]),
        (["input=a.tif", "checkpoint=other.ckpt"], ["other.ckpt carries no configuration"]),
        (["input=a.tif", "~output"], ["output"]),
        (["inptu=a.tif"], ["There is no inptu. Did you mean input=a.tif?"]),
        ([], ["input is not given"]),
    ],
)
def test_wrong_arguments_write_nothing(
    command: Command, network: str, arguments: list[str], words: list[str]
) -> None:
    save("a.tif", KINDS["scans/float.tif"])
    save("twins/same.tif", KINDS["scans/float.tif"])
    save("twins/same.png", KINDS["scans/eight.png"])
    torch.save({"state_dict": {"weight": torch.zeros(1)}}, "other.ckpt")
    before = sorted(Path.cwd().rglob("*"))
    refused(command("predict", network, "output=out", *arguments), *words)
    assert sorted(Path.cwd().rglob("*")) == before


def test_missing_options_are_named(command: Command) -> None:
    refused(command("predict", "checkpoint=a.ckpt", "input=a.tif"), "output is not given")


def test_more_than_two_classes_give_a_class_map(command: Command) -> None:
    """Three vertical bands of classes 0, 1 and 2, the same in each of two images."""
    rng = np.random.default_rng(0)
    bands = np.repeat(np.repeat([[0, 1, 2]], 32, axis=1), 64, axis=0).astype(np.uint8)
    for number in range(2):
        for kind, array in (("images", rng.random(bands.shape, np.float32)), ("labels", bands)):
            path = Path("own", kind, f"{number}.tif")
            path.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(path, array)
    own = ("dataset=folder", "dataset.root=own", "dataset.labels=classes", "hydra.run.dir=run")
    words = [word for word in TINY if not word.startswith("dataset.")]
    done = command("train", *words, *own)
    assert done.code == 0, done.err
    assert "3 classes" in done.out
    best = "checkpoint=run/checkpoints/best.ckpt"
    assert command("predict", best, "input=own/images", "output=out").code == 0
    probabilities = tifffile.imread("out/0_probabilities.tif")
    assert probabilities.shape == (3, 64, 96)
    np.testing.assert_array_equal(tifffile.imread("out/0_classes.tif"), probabilities.argmax(0))


def test_a_second_call_makes_only_missing_results(command: Command, network: str) -> None:
    for name in ("a", "b"):
        save(f"scans/{name}.tif", KINDS["scans/float.tif"])
    words = ("predict", network, "input=scans", "output=out")
    assert command(*words).code == 0
    Path("out/b_instances.tif").unlink()
    kept = Path("out/a_instances.tif").stat().st_mtime_ns
    done = command(*words)
    assert done.code == 0
    assert "1 of 2 images segmented into out, 1 were there before" in done.out
    assert Path("out/b_instances.tif").exists()
    assert Path("out/a_instances.tif").stat().st_mtime_ns == kept
    Path("scans/a.tif").touch()  # newer than its results
    assert "1 of 2 images" in command(*words).out
    assert Path("out/a_instances.tif").stat().st_mtime_ns > kept
    refused(command(*words, "tta=dihedral"), "out holds results of other settings", "tta=none")
    assert command(*words, "tta=dihedral", "overwrite=true").code == 0


def test_versions_and_several_networks_are_averaged(
    command: Command, network: str, trained: Path
) -> None:
    save("a.tif", KINDS["scans/float.tif"])
    last = trained / "checkpoints" / "last.ckpt"
    single = {}
    for name, words in {
        "best": (network,),
        "last": (f"checkpoint={last}",),
        "both": (f"checkpoint=[alone/net.ckpt,{last}]",),
        "eight": (network, "tta=dihedral"),
        "seven": (network, "tta=rotations"),
    }.items():
        assert command("predict", *words, "input=a.tif", f"output={name}").code == 0
        single[name] = read("a", name)[0]
    np.testing.assert_allclose(single["both"], (single["best"] + single["last"]) / 2, atol=1e-6)
    for name in ("eight", "seven"):
        assert np.abs(single[name] - single["best"]).max() > 1e-3
    # The mean over all eight ways to lay the image does not see which of them it was given.
    save("b.tif", np.ascontiguousarray(KINDS["scans/float.tif"].T))
    words = (network, "tta=dihedral", "input=b.tif", "output=eight")
    assert command("predict", *words).code == 0
    np.testing.assert_allclose(read("b", "eight")[0].T, single["eight"], atol=1e-5)


def test_networks_of_other_images_are_not_averaged(
    command: Command, network: str, colours: Path
) -> None:
    save("a.tif", KINDS["scans/float.tif"])
    done = command("predict", f"checkpoint=[alone/net.ckpt,{colours}]", "input=a.tif", "output=out")
    refused(done, "has model.in_channels=3, and alone/net.ckpt has 1", "Leave one of them out")


def test_a_list_of_inputs_and_probabilities_as_bytes(command: Command, network: str) -> None:
    save("one/a.tif", KINDS["scans/float.tif"])
    save("two/b.tif", KINDS["scans/float.tif"])
    words = (network, "input=[one,two/b.tif]")
    assert command("predict", *words, "output=bytes", "probability_type=uint8").code == 0
    assert command("predict", *words, "output=out").code == 0
    as_bytes, exact = read("b", "bytes")[0], read("b")[0]
    assert as_bytes.dtype == np.uint8
    assert np.abs(as_bytes / 255 - exact).max() <= 0.5 / 255 + 1e-6
    assert command("predict", *words, "output=few", "outputs=[instances]").code == 0
    assert written("few") == ["a_instances.tif", "b_instances.tif"]


def test_ome_zarr_in_gives_ome_zarr_out(command: Command, network: str) -> None:
    image = (picture(60, 41) * 255).astype(np.uint8)
    save("scans/a.tif", image)
    zarr.create_array("scans/a.zarr", data=image)
    zarr.create_array("scans/b.zarr", data=image)
    done = command("predict", network, "input=scans/b.zarr", "output=out")
    assert done.code == 0, done.err
    assert written() == ["b_instances.zarr", "b_probabilities.zarr"]
    assert command("predict", network, "input=scans/a.tif", "output=out").code == 0
    for kind, expected in zip(("probabilities", "instances"), read("a"), strict=True):
        found = zarr.open_group(f"out/b_{kind}.zarr", mode="r")["0"]
        np.testing.assert_array_equal(found, expected)
    assert command("predict", network, "input=scans", "output=tiff", "format=tiff").code == 1


def test_an_image_in_regions_on_disk_is_the_image_at_once(
    command: Command, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("a.tif", KINDS["scans/eight_tiff.tif"])
    assert command("predict", network, "input=a.tif", "output=whole").code == 0
    monkeypatch.setattr("unet_exp.inference.overlap_tile.REGION", 40)
    monkeypatch.setattr("unet_exp.prediction.scratch.IN_MEMORY", 0)
    create, on_disk = zarr.create_array, []

    def counted(*arguments: Any, **options: Any) -> Any:
        on_disk.append(options["shape"])
        return create(*arguments, **options)

    monkeypatch.setattr(zarr, "create_array", counted)
    words = ("input=a.tif", "output=out", "+inference.tile=64")
    assert command("predict", network, *words).code == 0
    assert on_disk == [(101, 33), (101, 33)]
    for whole, parts in zip(read("a", "whole"), read("a"), strict=True):
        np.testing.assert_allclose(parts, whole, atol=1e-5)
    assert written() == ["a_instances.tif", "a_probabilities.tif"]


def test_the_challenges_formats(command: Command, network: str) -> None:
    for number in range(3):
        save(f"set/01/t00{number}.tif", (picture(40, 50, seed=number) * 255).astype(np.uint8))
    words = ("predict", network, "+postprocessing.min_size=5")
    done = command(*words, "input=set/01", "output=ctc", "format=ctc")
    assert done.code == 0, done.err
    names = sorted(p.name for p in Path("ctc/01_RES").iterdir())
    assert names == [*(f"mask00{number}.tif" for number in range(3)), "res_track.txt"]
    done = command(*words, "input=set/01", "output=isbi", "format=isbi")
    assert done.code == 0, done.err
    assert "isbi/submission.tif" in done.out
    assert tifffile.imread("isbi/submission.tif").shape == (3, 40, 50)


def test_a_stack_with_a_damaged_page_is_no_submission(command: Command, network: str) -> None:
    save("scans/a.tif", KINDS["scans/float.tif"])
    Path("scans/b.tif").write_text("no picture")
    done = command("predict", network, "input=scans", "output=out", "format=isbi")
    refused(done, "1 of 2 files were left out: b.tif, so there is no stack")
    assert written() == []


def test_a_disk_that_fills_up_half_way_leaves_what_was_finished(
    command: Command, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        save(f"scans/{name}.tif", KINDS["scans/float.tif"])
    write, written_so_far = tifffile.TiffWriter.write, []

    def fill(self: tifffile.TiffWriter, *arguments: Any, **options: Any) -> Any:
        written_so_far.append(1)
        if len(written_so_far) > 3:
            raise OSError(28, "No space left on device")
        return write(self, *arguments, **options)

    monkeypatch.setattr(tifffile.TiffWriter, "write", fill)
    done = command("predict", network, "input=scans", "output=out")
    refused(done, "The disk is full: out/b_instances.tif could not be written")
    assert written() == ["a_instances.tif", "a_probabilities.tif", "b_probabilities.tif"]
    assert read("a")[0].shape == (70, 70)
    monkeypatch.undo()


def test_results_of_an_incomplete_second_call_are_not_mixed_with_earlier_ones(
    command: Command, network: str
) -> None:
    for name in ("a", "b"):
        save(f"scans/{name}.tif", KINDS["scans/float.tif"])
    words = ("predict", network, "input=scans", "output=out")
    assert command(*words).code == 0
    good = Path("scans/b.tif").read_bytes()
    Path("scans/b.tif").write_bytes(good[:100])
    assert command(*words, "tta=dihedral", "overwrite=true").code == 1
    Path("scans/b.tif").write_bytes(good)
    done = command(*words, "tta=dihedral")
    assert "1 of 2 images segmented into out, 1 were there before" in done.out
    np.testing.assert_array_equal(read("a")[0], read("b")[0])


def test_other_images_of_the_same_name_are_refused(command: Command, network: str) -> None:
    save("one/a.tif", KINDS["scans/float.tif"])
    save("two/a.tif", KINDS["scans/eight_tiff.tif"])
    assert command("predict", network, "input=one", "output=out").code == 0
    done = command("predict", network, "input=two", "output=out")
    said = (
        "out/a_probabilities.tif was made from",
        "one/a.tif, not from",
        "two/a.tif",
        "overwrite=true",
    )
    refused(done, *said)
    assert read("a")[0].shape == (70, 70)
    Path("mine").mkdir()
    shutil.copy("out/a_instances.tif", "mine")
    done = command("predict", network, "input=two", "output=mine")
    refused(done, "mine/a_instances.tif exists already, and no predict.json")


def test_a_stack_of_other_slices_is_written_again(command: Command, network: str) -> None:
    for name in ("a", "b", "c"):
        save(f"scans/{name}.tif", KINDS["scans/float.tif"])
    words = ("predict", network, "output=out", "format=isbi")
    assert command(*words, "input=[scans/b.tif,scans/c.tif]").code == 0
    assert "0 of 2" in command(*words, "input=[scans/b.tif,scans/c.tif]").out
    assert "3 of 3" in command(*words, "input=scans").out
    assert len(tifffile.imread("out/submission.tif")) == 3
    refused(command(*words, "input=scans/a.tif"), "submission.tif was made from", "scans/b.tif")
    assert len(tifffile.imread("out/submission.tif")) == 3


def test_pixels_of_a_zarr_folder_may_change(command: Command, network: str) -> None:
    array = zarr.create_array("a.zarr", data=(picture(40, 30) * 255).astype(np.uint8))
    words = ("predict", network, "input=a.zarr", "output=out")
    assert "1 of 1" in command(*words).out
    assert "0 of 1" in command(*words).out
    array[:5] = 7
    assert "1 of 1" in command(*words).out


def test_a_foreign_folder_is_not_replaced(command: Command, network: str) -> None:
    zarr.create_array("a.zarr", data=(picture(40, 30) * 255).astype(np.uint8))
    Path("out/a_instances.zarr").mkdir(parents=True)
    Path("out/a_instances.zarr/notes.txt").write_text("precious")
    words = ("predict", network, "input=a.zarr", "output=out", "overwrite=true")
    refused(command(*words), "out/a_instances.zarr")
    assert Path("out/a_instances.zarr/notes.txt").read_text() == "precious"


def test_the_files_of_a_killed_call_are_removed(command: Command, network: str) -> None:
    save("a.tif", KINDS["scans/float.tif"])
    orphan, mine = (
        Path("out") / f".segmenting.{numbering()}-{process}-0123abcd.part"
        for process in (2**22 + 1, os.getpid())
    )
    for folder in (orphan, mine):
        folder.mkdir(parents=True)
    assert command("predict", network, "input=a.tif", "output=out").code == 0
    assert (orphan.exists(), mine.exists()) == (False, True)


def test_special_characters_in_names_have_no_meaning(command: Command, network: str) -> None:
    Path("c").mkdir()  # matches "[a.ckpt,b.ckpt]" read as a glob
    for name in ("für & wider; #1!.tif", "2026_11_24.tif"):
        save(f"scans/{name}", KINDS["scans/float.tif"])
    words = ("checkpoint=[alone/net.ckpt,alone/net.ckpt]", "output=2026_12_01")
    assert command("predict", "input=scans/für & wider; #1!.tif", *words).code == 0
    assert command("predict", "input=scans/2026_11_24.tif", *words).code == 0
    assert len(written("2026_12_01")) == 4
    refused(
        command("predict", "input=scans/day[12]*.tif", *words), "No image at scans/day[12]*.tif"
    )
    refused(command("predict", "input=[]", *words), "input=[] names no image")


def test_all_outputs_can_be_written(command: Command, network: str) -> None:
    save("scans/a.png", KINDS["scans/eight.png"])
    words = (network, "input=scans", "output=out", "postprocessing.threshold=0")
    chosen = "outputs=[instances,table,overlay,rois,geojson]"
    done = command("predict", *words, "outputs=[instances,table]")
    assert done.code == 0, done.err
    assert written() == ["a_instances.tif", "a_objects.csv"]
    done = command("predict", *words, chosen)  # one more output is no other setting
    assert done.code == 0, done.err
    assert "1 of 1 images" in done.out
    assert written() == [
        "a_instances.tif", "a_objects.csv", "a_objects.geojson", "a_overlay.png", "a_rois.zip",
    ]  # fmt: skip
    assert "0 of 1 images segmented into out, 1 were there before" in command(
        "predict", *words, chosen
    ).out  # fmt: skip
    instances = tifffile.imread("out/a_instances.tif")
    header, *rows = Path("out/a_objects.csv").read_text().splitlines()
    assert header.startswith("label,area_px,")
    areas = np.bincount(instances.ravel())[1:]
    assert [row.split(",")[1] for row in rows] == [str(area) for area in areas if area]
    assert rows
    assert "no object" not in done.out


def test_images_without_an_object_are_reported_once(command: Command, network: str) -> None:
    for number in range(7):
        save(f"scans/{number}.png", KINDS["scans/eight.png"])
    words = (network, "input=scans", "output=out", "postprocessing.threshold=1")
    done = command("predict", *words, "outputs=[table]")
    assert done.code == 0, done.err
    told = "7 of 7 images have no object: 0.png, 1.png, 2.png, 3.png, 4.png, ..."
    assert done.out.count(told) == 1
    (line,) = Path("out/0_objects.csv").read_text().splitlines()
    assert line.startswith("label,area_px,")


def test_outputs_are_for_results_of_single_images(
    command: Command, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("01/t000.tif", KINDS["scans/eight_tiff.tif"])
    words = (network, "input=01", "output=out")
    monkeypatch.setattr(
        segment_files, "open_trained", lambda *_: pytest.fail("the network was loaded")
    )
    refused(command("predict", *words, "format=ctc", "outputs=[table]"), "would have no effect")
    refused(command("predict", *words, "probabilities=uint8"), "probability_type=uint8")
    refused(
        command("predict", *words, "outputs=[tabel]"),
        "outputs=tabel is unknown. Did you mean table?",
    )
    assert not Path("out").exists()


def micrometres(path: str, array: np.ndarray, pixel: float) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(
        path, array, imagej=True, resolution=(1 / pixel, 1 / pixel), metadata={"unit": "um"}
    )


def test_images_of_another_magnification_are_resized(command: Command, network: str) -> None:
    image = cv2.GaussianBlur(picture(60, 44), (0, 0), 3).astype(np.float32)
    save("scans/a.tif", image)
    save("scans/twice.tif", cv2.resize(image, (88, 120)))
    assert command("predict", network, "input=scans/a.tif", "output=plain").code == 0
    done = command("predict", network, "input=scans/twice.tif", "output=out", "scale=0.5")
    assert done.code == 0, done.err
    found, expected = read("twice")[0], read("a", "plain")[0]
    assert found.shape == (120, 88)
    shrunk = cv2.resize(found, (44, 60), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(shrunk.ravel(), expected.ravel())[0, 1] > 0.9
    again = command("predict", network, "input=scans/twice.tif", "output=out", "scale=0.5")
    assert "1 there before" in again.out.replace("were ", "")


def test_pixel_sizes_tell_the_magnification(command: Command, network: str) -> None:
    micrometres("scans/a.tif", picture(40, 30).astype(np.float32), 0.25)
    auto = ("predict", network, "input=scans", "output=out", "scale=auto")
    refused(command(*auto), "the checkpoint records none", "Give scale=FACTOR")
    refused(command(*auto[:-1], "scale=big"), "scale=big is no factor")
    assert not written()
    content = torch.load("alone/net.ckpt", weights_only=True)
    target = "unet_exp.datasets.folder.Folder"
    content["config"]["dataset"] = {
        "_target_": target, "normalization": "zscore", "pixel_size": 0.5,
    }  # fmt: skip
    torch.save(content, "alone/net.ckpt")
    save("scans/unknown.png", (picture(40, 30) * 255).astype(np.uint8))
    done = command(*auto)
    assert done.code == 1
    assert "a.tif: enlarged by a factor of 0.5" in done.out
    assert "unknown.png does not say how large a pixel is" in done.out + done.err
    assert read("a")[0].shape == (40, 30)


def test_channels_are_read_as_in_training(command: Command) -> None:
    labels = np.zeros((64, 64), np.uint8)
    labels[20:44, 20:44] = 1
    for number, kind in enumerate(("grey", "colours", "grey", "colours")):
        image = (picture(64, 64, seed=number) * 255).astype(np.uint8)
        save(f"own/images/{number}.png", image if kind == "grey" else np.stack([image] * 3, -1))
        save(f"own/labels/{number}.png", labels)
    words = ("dataset=folder", "dataset.root=own", "pictures.images=0", "hydra.run.dir=run")
    assert command("train", *TINY_FILES, *words).code == 0
    words = ("checkpoint=run/checkpoints/last.ckpt", "input=own/images")
    done = command("predict", *words, "output=out")
    assert done.code == 0, done.err
    assert "4 of 4 images" in done.out
    refused(command("predict", *words, "output=grey", "channels=luminance"), "4 of 4 files")
    refused(command("predict", *words, "output=none", "channels=red"), "channels=red names no")

from unet_exp.datasets.sequences import find_sequences


def test_sequences_need_frames_and_masks(tmp_path) -> None:
    for name in (
        "01/t000.tif", "01_GT/SEG/man_seg000.tif",
        "02/t0010.tif", "02/t0009.tif", "02_ST/SEG/man_seg0010.tif", "02_GT/TRA/man_track0009.tif",
        "03/t000.tif", "03_GT/TRA/man_track000.tif",
        "04_GT/SEG/man_seg000.tif",
        "05/t12.tif", "05/t000.png", "05_GT/SEG/man_seg_000_002.tif",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    first, second = find_sequences(tmp_path)
    assert (first.name, list(first.frames), list(first.gold), first.silver) == ("01", [0], [0], {})
    assert (second.name, list(second.frames), second.gold) == ("02", [9, 10], {})
    assert (list(second.silver), list(second.markers)) == ([10], [9])
    assert second.frames[9] == tmp_path / "02/t0009.tif"

import pytest

from unet_exp.datasets.every_file import NAMED, read_every


def test_a_single_error_keeps_its_message_and_type() -> None:
    def read(item: int) -> int:
        if item == 2:
            raise FileNotFoundError(2, "No such file", "b.tif")
        return item

    with pytest.raises(FileNotFoundError, match=r"b\.tif"):
        read_every([1, 2, 3], read)


def test_many_errors_are_counted_and_some_are_quoted() -> None:
    def read(item: int) -> int:
        raise ValueError(f"{item}.tif is cut short.")

    with pytest.raises(ValueError, match="and 4 more") as caught:
        read_every(range(NAMED + 4), read)
    assert "9 of 9 files cannot be used: 0.tif is cut short; 1.tif" in str(caught.value)


def test_programming_errors_are_not_collected() -> None:
    def read(item: int) -> int:
        raise TypeError("no")

    with pytest.raises(TypeError):
        read_every([1, 2], read)

import zipfile
from pathlib import Path

import pytest

from unet_exp.packages.archive import LARGEST_TABLE, MOST_MEMBERS, Archive, PackageError


def write(path: Path, *names: str, content: bytes = b"text") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, content)
    return path


def test_a_member_is_read_up_to_a_limit(tmp_path: Path) -> None:
    archive = Archive(write(tmp_path / "a.zip", "rdf.yaml"))
    assert archive.read("rdf.yaml", limit=4) == b"text"
    with pytest.raises(PackageError, match=r"rdf\.yaml in .* unpacks to 4 bytes, more than 3"):
        archive.read("rdf.yaml", limit=3)
    with pytest.raises(PackageError, match=r"has no weights\.onnx\. Take a package with all"):
        archive.read("weights.onnx", limit=4)


@pytest.mark.parametrize(
    "name", ["../rdf.yaml", "/etc/rdf.yaml", "a/../../b", "C:\\rdf.yaml", "..\\rdf.yaml"]
)
def test_a_path_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PackageError, match=r"a path out of it\. Do not trust this package"):
        Archive(write(tmp_path / "a.zip", "rdf.yaml", name))


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", *map(str, range(MOST_MEMBERS + 1)))
    with pytest.raises(PackageError, match="has 1001 members, more than 1000"):
        Archive(path)


def test_a_huge_table_of_contents_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", *(f"{n:060000}" for n in range(LARGEST_TABLE // 60000 + 1)))
    with pytest.raises(PackageError, match="table of contents is larger than 4194304 bytes"):
        Archive(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"has 2 members rdf\.yaml"):
        Archive(write(tmp_path / "a.zip", "rdf.yaml", "rdf.yaml"))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    archive = Archive(write(tmp_path / "a.zip", "weights.onnx", content=bytes(2**22)))
    with pytest.raises(PackageError, match=r"as zip bombs do\. Pack it without compression"):
        archive.read("weights.onnx", limit=2**30)


def test_a_wrong_size_is_detected(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", "rdf.yaml", content=b"0123456789" * 20)
    raw = path.read_bytes()
    said = (200).to_bytes(4, "little")
    path.write_bytes(raw.replace(said, (20).to_bytes(4, "little")))
    with pytest.raises(PackageError, match=r"rdf\.yaml in .* is (damaged|cut short)"):
        Archive(path).read("rdf.yaml", limit=100)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", "rdf.yaml")
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        raw[raw.index(signature) + offset] |= 1
    path.write_bytes(raw)
    with pytest.raises(PackageError, match=r"is encrypted\. Pack it without a password"):
        Archive(path).read("rdf.yaml", limit=100)


def test_another_packing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("rdf.yaml", b"text")
    with pytest.raises(PackageError, match="packed by method 14"):
        Archive(path).read("rdf.yaml", limit=100)


def test_damage_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("rdf.yaml", b"text")
    path.write_bytes(path.read_bytes().replace(b"text", b"tent"))
    with pytest.raises(PackageError, match=r"is damaged \(Bad CRC-32"):
        Archive(path).read("rdf.yaml", limit=100)


@pytest.mark.parametrize("flipped", [0x01, 0x80, 0xFF])
def test_each_damaged_byte_is_detected_or_harmless(tmp_path: Path, flipped: int) -> None:
    path = write(tmp_path / "a.zip", "wörter.yaml")
    whole = path.read_bytes()
    for index in range(len(whole)):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ flipped]) + whole[index + 1 :])
        try:
            content = Archive(path).read("wörter.yaml", limit=100)
        except PackageError:
            continue
        assert content == b"text", index


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\3\4" + bytes(100)])
def test_files_that_are_no_archives_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(PackageError, match="is no zip archive that can be read"):
        Archive(path)

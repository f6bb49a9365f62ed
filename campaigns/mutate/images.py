"""Damaged image files: each is read, or refused by an error that names it."""

import io
import json
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import tifffile
import zarr
from PIL import Image

from campaigns.mutate.damage import NUMBERS, damaged, rewritten, text_damaged
from campaigns.trials import FaultError
from unet_exp.datasets.folder import Folder, MixedChannelsError
from unet_exp.images.image_file import open_image

PAGE = (np.arange(40 * 50) * 37 % 251).reshape(40, 50).astype(np.uint8)
LABELS = (np.arange(40)[:, None] // 10 * 5 + np.arange(50) // 10).astype(np.uint8)


def tiff(array: Any, **how: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array, **how)
    return file.getvalue()


def pillow(array: Any, kind: str, **how: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **how)
    return file.getvalue()


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


COLOURS = np.stack([PAGE, PAGE.T.reshape(40, 50), PAGE[::-1]], -1)
STACK = np.stack([PAGE, PAGE[::-1], PAGE[:, ::-1]])
#: Sound files by kind, in the variants that other programs write.
SOUND: dict[str, list[bytes]] = {
    "tiff": [
        tiff(PAGE, photometric="minisblack"),
        tiff(PAGE.astype(np.uint16) * 200, compression="lzw", predictor=True),
        tiff(PAGE.astype(np.float32), compression="zlib", tile=(16, 16)),
        tiff(STACK, photometric="minisblack", bigtiff=True),
        tiff(STACK, imagej=True, metadata={"axes": "ZYX", "spacing": 2.0, "unit": "um"}),
        tiff(COLOURS, photometric="rgb", compression="jpeg"),
        tiff(COLOURS, photometric="rgb", planarconfig="separate", rowsperstrip=7),
        tiff(PAGE > 99, photometric="miniswhite"),
        tiff(PAGE, byteorder=">", compression="packbits", resolution=(1e4, 1e4)),
    ],
    "png": [
        pillow(PAGE, "PNG"),
        pillow(COLOURS, "PNG"),
        pillow(PAGE.astype(np.uint16) * 100, "PNG"),
        pillow(np.dstack([COLOURS, PAGE]), "PNG"),
    ],
    "jpeg": [pillow(PAGE, "JPEG"), pillow(COLOURS, "JPEG", progressive=True)],
    "npy": [npy(PAGE), npy(STACK.astype(np.float32)), npy(COLOURS)],
}
ENDING = {"tiff": ".tif", "ome": ".ome.tif", "png": ".png", "jpeg": ".jpg", "npy": ".npy"}


def rewritten_tag(data: bytes, rng: Random) -> bytes:
    """A TIFF in which a field of a tag is another number: code, type, count or value."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    word, entry, head = ("Q", 20, 8) if big else ("I", 12, 2)
    (start,) = struct.unpack_from(order + word, data, 8 if big else 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
    at = start + head + entry * rng.randrange(count)
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 2))):
        offset, letter = rng.choice(
            ((0, "H"), (2, "H"), (4, word), (entry - (8 if big else 4), word))
        )
        size = struct.calcsize(letter)
        (now,) = struct.unpack_from(order + letter, content, at + offset)
        number = rng.choice((*NUMBERS, now + 1, now - 1, now * 2, now * 1000)) % 2 ** (8 * size)
        struct.pack_into(order + letter, content, at + offset, number)
    return bytes(content)


def rewritten_chunk(data: bytes, rng: Random) -> bytes:
    """A PNG in which the content of a chunk is damaged, and its checksum is right."""
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    number = rng.choice((0, rng.randrange(len(chunks))))
    name, content = chunks[number]
    chunks[number] = name, damaged(content, rng)
    return data[:8] + b"".join(
        struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks
    )


def rewritten_npy(data: bytes, rng: Random) -> bytes:
    """An NPY file whose header says something else, in as many bytes."""
    (length,) = struct.unpack_from("<H", data, 8)
    text = text_damaged(data[10 : 10 + length].decode("latin-1").rstrip(), rng)
    header = text.encode("latin-1", "replace")[: length - 1].ljust(length - 1) + b"\n"
    return data[:10] + header + data[10 + length :]


HEADERS: dict[str, Callable[[bytes, Random], bytes]] = {
    "tiff": rewritten_tag, "png": rewritten_chunk, "npy": rewritten_npy,
}  # fmt: skip


def damaged_file(kind: str, rng: Random) -> bytes:
    """A damaged file of a kind: its header alone, or any of its bytes."""
    if kind == "ome":
        return damaged_ome(rng)
    data = rng.choice(SOUND[kind])
    header = HEADERS.get(kind)
    return header(data, rng) if header and rng.random() < 0.5 else damaged(data, rng)


def damaged_ome(rng: Random) -> bytes:
    """An OME-TIFF whose XML is damaged, or any of its bytes."""
    sound = tiff(np.stack([STACK] * 2), ome=True, metadata={"axes": "TZYX", "PhysicalSizeX": 0.5})
    if rng.random() < 0.3:
        return damaged(sound, rng)
    with tifffile.TiffFile(io.BytesIO(sound)) as file:
        xml = file.pages[0].aspage().description
    for _ in range(rng.choice((1, 1, 2, 5))):
        xml = rng.choice((text_damaged, changed_attribute))(xml, rng)
    description = xml.encode("utf-8", "surrogatepass").replace(b"\0", b"")
    return tiff(
        np.concatenate([STACK] * 2),
        metadata=None,
        description=description,
        photometric="minisblack",
    )


def changed_attribute(xml: str, rng: Random) -> str:
    """XML in which one attribute has another value."""
    parts = xml.split('"')
    if len(parts) > 2:
        parts[rng.randrange(1, len(parts), 2)] = rng.choice(
            (*map(str, NUMBERS), "", "-1", "XYTZC", "uint16", "nan", "1e400")
        )
    return '"'.join(parts)


def read_all(path: Path) -> None:
    """Read all pages of an image by slices; only an error that names the file may come of it."""
    try:
        with open_image(path) as file:
            for page in file.pages[:8]:
                whole = page[:, :, :]
                if whole.shape != page.shape:
                    raise FaultError(f"{path.name}: {whole.shape} are read of {page.shape} pixels")
                page[:, : page.shape[1] // 2, 3:9]
    except (ValueError, OSError) as error:
        require_named(path, error)


def require_named(path: Path, error: Exception) -> None:
    text = f"{error} {getattr(error, 'filename', '')}"
    if path.name not in text:
        raise FaultError(
            f"{path.name}: {type(error).__name__} does not name it: {error}"
        ) from error
    if len(text) > 2000:
        raise FaultError(f"{path.name}: an error of {len(text)} characters") from error


def reading(kind: str) -> Callable[[Random, Path], None]:
    """The trial that a damaged file of a kind is read."""

    def trial(rng: Random, folder: Path) -> None:
        path = folder / f"image{ENDING[kind]}"
        path.write_bytes(damaged_file(kind, rng))
        read_all(path)

    return trial


def write_zarr(path: Path, rng: Random) -> None:
    """An OME-Zarr image of three pages, in format 2 or 3, with one of its files damaged."""
    version = rng.choice((2, 3))
    group = zarr.open_group(path, mode="w", zarr_format=version)
    group.create_array("0", data=STACK[None, None], chunks=(1, 1, 1, 20, 25))
    scale = {"type": "scale", "scale": [1, 1, 2.0, 0.5, 0.5]}
    axes = [{"name": n, "type": "space" if n in "zyx" else n} for n in "tczyx"]
    said = [{"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": [scale]}]}]
    group.attrs.update({"multiscales": said} if version == 2 else {"ome": {"multiscales": said}})
    files = sorted(p for p in path.rglob("*") if p.is_file())
    texts = [p for p in files if p.suffix == ".json" or p.name.startswith(".z")]
    for _ in range(rng.choice((1, 1, 2))):
        chosen = rng.choice(texts if rng.random() < 0.8 else files)
        if not chosen.exists():
            continue
        kind = rng.random()
        if kind < 0.1:
            chosen.unlink()
        elif kind < 0.6 and chosen in texts:
            content = rewritten(json.loads(chosen.read_bytes()), rng)
            chosen.write_text(json.dumps(content))
            texts.remove(chosen) if len(texts) > 1 else None
        else:
            chosen.write_bytes(damaged(chosen.read_bytes(), rng))
            texts.remove(chosen) if chosen in texts and len(texts) > 1 else None


def read_zarr(rng: Random, folder: Path) -> None:
    path = folder / "image.zarr"
    write_zarr(path, rng)
    read_all(path)


def write_mixed(folder: Path, rng: Random, count: int) -> Iterator[Path]:
    """Damaged images of any kind."""
    for number in range(count):
        kind = rng.choice((*ENDING, "zarr"))
        if kind == "zarr":
            path = folder / f"{number}.zarr"
            write_zarr(path, rng)
        else:
            path = folder / f"{number}{ENDING[kind]}"
            path.write_bytes(damaged_file(kind, rng))
        yield path


def read_dataset(rng: Random, folder: Path) -> None:
    """Read a folder of images and labels, of which one is damaged, as a data set."""
    root = folder / "own"
    for kind, array in (("images", PAGE), ("labels", LABELS)):
        (root / kind).mkdir(parents=True)
        for number in range(3):
            (root / kind / f"{number}.tif").write_bytes(tiff(array, photometric="minisblack"))
    side = rng.choice(("images", "labels"))
    (root / side / "1.tif").unlink()
    kind = rng.choice(("tiff", "png", "jpeg", "npy", "ome"))
    damage = root / side / f"1{ENDING[kind]}"
    damage.write_bytes(damaged_file(kind, rng))
    try:
        dataset = Folder(str(root), folds=3)
        for split in ("train", "validation"):
            for sample in dataset.split(split):
                image, labels = sample.image, sample.labels
                if labels is None or image.shape[-2:] != labels.shape:
                    raise FaultError(f"the labels of an image {image.shape} are of another size")
    except (ValueError, OSError, MixedChannelsError) as error:
        if str(root) not in f"{error} {getattr(error, 'filename', '')}":
            raise FaultError(f"{type(error).__name__} names no file: {error}") from error
    finally:
        shutil.rmtree(root)

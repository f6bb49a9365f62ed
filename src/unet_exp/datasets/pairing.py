"""Which label file belongs to which image: by name, and only where there is no doubt."""

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from unet_exp.images.formats import SUFFIXES

# What people and programs append to tell the two apart; taken off where plain names do not match.
ENDINGS = re.compile(
    r"[_-](cp_masks?|masks?|labels?|seg|segmentation|gt|instances?|annotations?"
    r"|images?|img|raw)$",
    re.IGNORECASE,
)
logger = logging.getLogger(__name__)


def list_files(folder: Path, say: bool = True) -> list[Path]:
    """List the images of a folder in natural order (frame2 before frame10), hidden ones left out.

    The log names what else is there, if ``say``.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    ValueError
        It holds no PNG, TIFF or NPY file, or something of such a name that is no file.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not there. Make it and put the images into it.")
    there = [p for p in folder.iterdir() if not p.name.startswith(".")]
    if odd := [p.name for p in there if p.suffix.lower() in SUFFIXES and not p.is_file()]:
        raise ValueError(
            f"{folder} holds what is named like images and is no file, such as a folder or a link "
            f"that leads nowhere: {_some(sorted(odd))}. Move it away, or repair the links."
        )
    files = [p for p in there if p.is_file()]
    images = [p for p in files if p.suffix.lower() in SUFFIXES]
    others = sorted(p.name for p in files if p.suffix.lower() not in SUFFIXES)
    if not images:
        found = f"only {_some(others)}" if others else "nothing"
        raise ValueError(
            f"{folder} holds no PNG, TIFF or NPY file, {found}. Convert the images to PNG or TIFF."
        )
    if others and say:
        logger.warning("Left out of %s: %s", folder, _some(others))
    return sorted(images, key=natural_key)


def natural_key(path: Path) -> list[tuple[int, int | str]]:
    """Sort key by which numbers in names count as numbers.

    >>> sorted([Path("t10.tif"), Path("t9.tif")], key=natural_key)[0].name
    't9.tif'
    """
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


def stem(path: Path) -> str:
    """Return a file's name without its suffix, nor the second one of ``.ome.tif``.

    >>> stem(Path("cells.01.ome.tif")), stem(Path("cells.OME.TIFF"))
    ('cells.01', 'cells')
    """
    name = path.stem
    return name[:-4] if name.lower().endswith(".ome") else name


def pair(images: list[Path], labels: list[Path]) -> list[tuple[Path, Path]]:
    """Pair images and labels by stem, else by stem without an ending such as ``_mask``.

    Letters that Unicode has in several forms are one letter (ä and a with two dots above), and of
    what is then left without a partner, so are A and a, or the two signs for micro.

    >>> pair([Path("a.tif"), Path("b.tif")], [Path("B.png"), Path("a_mask.png")])
    [(PosixPath('a.tif'), PosixPath('a_mask.png')), (PosixPath('b.tif'), PosixPath('B.png'))]

    Raises
    ------
    ValueError
        Files without a partner, or with several that fit; the message lists them.
    """
    partners: dict[Path, Path] = {}
    lonely, unused = images, labels
    for shorten in (
        _name,
        lambda path: ENDINGS.sub("", _name(path)),
        lambda path: ENDINGS.sub("", unicodedata.normalize("NFKC", _name(path)).casefold()),
    ):
        for files in (lonely, unused):
            if names := _twice(files, shorten):
                raise ValueError(
                    f"Several files in {images[0].parent} or {labels[0].parent} are named "
                    f"{_some(names)}. Keep one image and one label file of each name."
                )
        by_name = {shorten(path): path for path in unused}
        partners |= {p: by_name[shorten(p)] for p in lonely if shorten(p) in by_name}
        taken = set(partners.values())
        lonely = [path for path in lonely if path not in partners]
        unused = [path for path in unused if path not in taken]
    if lonely or unused:
        raise ValueError(
            "; ".join(
                f"{len(files)} file(s) in {files[0].parent} have no partner of that name in "
                f"{other}: {_some([p.name for p in files])}"
                for files, other in ((lonely, labels[0].parent), (unused, images[0].parent))
                if files
            )
            + ". Give an image and its labels the same name, or move the others away."
        )
    return [(p, partners[p]) for p in images]


def _name(path: Path) -> str:
    return unicodedata.normalize("NFC", stem(path))


def _twice(files: list[Path], shorten: Callable[[Path], str]) -> list[str]:
    counts = Counter(map(shorten, files))
    return sorted(name for name, count in counts.items() if count > 1)


def _some(names: list[str], limit: int = 10) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(_shown, names[:limit])) + more


def _shown(name: str) -> str:
    r"""Write a name so that no other looks like it: letters beyond ASCII also by their codes.

    >>> print(_shown("a.tif"), _shown("a b.tif"), _shown("\u00e9.tif"), _shown("a\u200b.tif"))
    a.tif 'a b.tif' é.tif ('\xe9.tif') 'a\u200b.tif'
    """
    if name.isascii() and name.isprintable() and " " not in name:
        return name
    # Marks that join the letter before them, and signs without width, are shown by codes alone.
    plain = name.isprintable() and not any(unicodedata.combining(letter) for letter in name)
    return ascii(name) if name.isascii() or not plain else f"{name} ({name!a})"


def find_pairs(
    folder: Path, labelled: bool = True, say: bool = True
) -> list[tuple[Path, Path | None]]:
    """Pair the files of ``images/`` and ``labels/``, or two files of these names.

    Without labels the second of each pair is None, unless they are asked for by ``labelled``.

    Raises
    ------
    FileNotFoundError
        No images, or no labels; the message says how to lay them out.
    """
    images, labels = source(folder, "images"), source(folder, "labels")
    if images is None or (labels is None and labelled):
        missing = "images" if images is None else "labels"
        raise FileNotFoundError(
            f"{folder} holds neither {missing}/ nor {missing}.tif. Put the images into "
            f"{folder / 'images'} and label files of the same names into {folder / 'labels'}."
        )
    if labels is not None and images.is_file() != labels.is_file():
        raise ValueError(
            f"Of {images} and {labels} one is a file and the other a folder. Make both folders, or "
            "both multi-page TIFFs."
        )
    if images.is_file():
        return [(images, labels)]
    files = list_files(images, say)
    return [*pair(files, list_files(labels, say))] if labels else [(path, None) for path in files]


def require_layout(root: Path) -> None:
    """Refuse a folder whose images and labels, or those in its ``validation/``, are not laid out.

    Raises
    ------
    FileNotFoundError, ValueError
        As `find_pairs`.
    """
    find_pairs(root, say=False)
    if source(root / "validation", "images"):
        find_pairs(root / "validation", say=False)


def source(folder: Path, kind: str) -> Path | None:
    """Return ``folder/kind`` or, where there is none, the file of that name; None without both."""
    if (folder / kind).is_dir():
        return folder / kind
    found = sorted(p for p in folder.glob(f"{kind}.*") if p.suffix.lower() in SUFFIXES)
    return found[0] if found else None

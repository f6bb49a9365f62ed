"""Find the label file of each image by its name, and refuse ambiguous names."""

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from unet_exp.images.formats import FORMATS, SUFFIXES

ENDINGS = re.compile(
    r"[_-](cp_masks?|masks?|labels?|seg|segmentation|gt|instances?|annotations?"
    r"|images?|img|raw)$",
    re.IGNORECASE,
)
"""Endings that programs append to names; ignored if plain names do not match."""
logger = logging.getLogger(__name__)


def find_pairs(
    folder: Path, labelled: bool = True, log: bool = True
) -> list[tuple[Path, Path | None]]:
    """Pair the files of ``images/`` and ``labels/``, or the two files of these names.

    Without labels the second of each pair is None, unless ``labelled`` requires them. Raises
    FileNotFoundError if there are no images or labels, and ValueError like `list_files` and `pair`.
    """
    images, labels = find_source(folder, "images"), find_source(folder, "labels")
    if images is None or (labels is None and labelled):
        missing = "images" if images is None else "labels"
        if folder.absolute().name in ("images", "labels") and find_source(folder.parent, "images"):
            raise FileNotFoundError(
                f"{folder} is one of the two folders that belong together. Give the folder that "
                f"holds both: dataset.root={folder.parent}."
            )
        raise FileNotFoundError(
            f"{folder} holds neither {missing}/ nor {missing}.tif. Put the images into "
            f"{folder / 'images'} and label files of the same names into {folder / 'labels'}."
        )
    if labels is not None and images.is_file() != labels.is_file():
        raise ValueError(
            f"Of {images} and {labels} one is a file and the other a folder. Give two folders or "
            "two multi-page TIFFs."
        )
    if images.is_file():
        return [(images, labels)]
    files = list_files(images, log)
    return [*pair(files, list_files(labels, log))] if labels else [(path, None) for path in files]


def find_root(root: str) -> Path:
    """Return the folder of ``dataset.root``.

    Raises ValueError if it is not given, FileNotFoundError if it is no folder.
    """
    if not root:
        raise ValueError(
            "dataset.root is not given. Point it at the folder that holds images/ and labels/: "
            "dataset.root=path/to/folder."
        )
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(
            f"dataset.root={root} is no folder. Point it at the one that holds images/ and labels/."
        )
    return folder


def require_layout(root: str) -> None:
    """Refuse a ``dataset.root``, or its ``validation/``, in which `find_pairs` finds no pairs."""
    folder = find_root(root)
    find_pairs(folder, log=False)
    if find_source(folder / "validation", "images"):
        find_pairs(folder / "validation", log=False)


def find_source(folder: Path, kind: str) -> Path | None:
    """Return the folder ``folder/kind``, else the image file of that name, else None."""
    if (folder / kind).is_dir():
        return folder / kind
    found = sorted(filter(has_image_suffix, folder.glob(f"{kind}.*")))
    return found[0] if found else None


def list_files(folder: Path, log: bool = True) -> list[Path]:
    """List the image files of a folder in natural order; log other files if ``log``."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} does not exist. Create it and put the images into it.")
    paths = [p for p in folder.iterdir() if not p.name.startswith(".")]
    images = [p for p in paths if has_image_suffix(p)]
    if no_files := sorted(p.name for p in images if not p.is_file()):
        raise ValueError(
            f"{folder} holds folders or broken links that are named like images: "
            f"{_names(no_files)}. Move them away, or repair the links."
        )
    others = sorted(p.name for p in paths if not has_image_suffix(p) and p.is_file())
    if not images:
        found = f"only {_names(others)}" if others else "nothing"
        raise ValueError(
            f"{folder} holds no file of a known format ({', '.join(f.name for f in FORMATS)}), "
            f"{found}. Convert the images to PNG or TIFF."
        )
    if others and log:
        logger.warning("Ignored in %s: %s", folder, _names(others))
    return sorted(images, key=natural_key)


def has_image_suffix(path: Path) -> bool:
    """Return whether a file is named like an image."""
    return path.suffix.lower() in SUFFIXES


def natural_key(path: Path) -> list[tuple[int, int | str]]:
    """Return a sort key that puts frame2 before frame10.

    >>> sorted([Path("t10.tif"), Path("t9.tif")], key=natural_key)[0].name
    't9.tif'
    """
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


def stem(path: Path) -> str:
    """Return a file's name without its suffix and without ``.ome``.

    >>> stem(Path("cells.01.ome.tif")), stem(Path("cells.OME.TIFF"))
    ('cells.01', 'cells')
    """
    name = path.stem
    return name[:-4] if name.lower().endswith(".ome") else name


def pair(images: list[Path], labels: list[Path]) -> list[tuple[Path, Path]]:
    """Pair images and labels by name: first by stem, then by stem without `ENDINGS`.

    Different Unicode forms of a letter are equal. The remaining files are paired without regard to
    case and to compatible characters, such as the two signs for micro.

    >>> pair([Path("a.tif"), Path("b.tif")], [Path("B.png"), Path("a_mask.png")])
    [(PosixPath('a.tif'), PosixPath('a_mask.png')), (PosixPath('b.tif'), PosixPath('B.png'))]

    Raises ValueError that lists the files without a partner or with several.
    """
    partners: dict[Path, Path] = {}
    left_images, left_labels = images, labels
    for key in (
        _name,
        lambda path: ENDINGS.sub("", _name(path)),
        lambda path: ENDINGS.sub("", unicodedata.normalize("NFKC", _name(path)).casefold()),
    ):
        for files in (left_images, left_labels):
            if repeated := _repeated(files, key):
                raise ValueError(
                    f"Several files in {images[0].parent} or {labels[0].parent} are named "
                    f"{_names(repeated)}. Keep one image and one label file of each name."
                )
        by_name = {key(path): path for path in left_labels}
        partners |= {p: by_name[key(p)] for p in left_images if key(p) in by_name}
        taken = set(partners.values())
        left_images = [path for path in left_images if path not in partners]
        left_labels = [path for path in left_labels if path not in taken]
    if left_images or left_labels:
        sides = (left_images, labels[0].parent), (left_labels, images[0].parent)
        raise ValueError(
            "; ".join(
                f"{len(files)} file(s) in {files[0].parent} have no partner of that name in "
                f"{other}: {_names([p.name for p in files])}"
                for files, other in sides
                if files
            )
            + ". Give an image and its labels the same name, or move the others away."
        )
    return [(path, partners[path]) for path in images]


def _name(path: Path) -> str:
    return unicodedata.normalize("NFC", stem(path))


def _repeated(files: list[Path], key: Callable[[Path], str]) -> list[str]:
    return sorted(name for name, count in Counter(map(key, files)).items() if count > 1)


def _names(names: list[str], limit: int = 10) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(_unambiguous, names[:limit])) + more


def _unambiguous(name: str) -> str:
    r"""Return a name that cannot be confused with another one, with codes of non-ASCII letters.

    >>> names = "a.tif", "a b.tif", "\u00e9.tif", "a\u200b.tif"
    >>> print(*map(_unambiguous, names))
    a.tif 'a b.tif' é.tif ('\xe9.tif') 'a\u200b.tif'
    """
    if name.isascii() and name.isprintable() and " " not in name:
        return name
    # Combining marks and characters without width are written as codes only.
    is_plain = name.isprintable() and not any(map(unicodedata.combining, name))
    return ascii(name) if name.isascii() or not is_plain else f"{name} ({name!a})"

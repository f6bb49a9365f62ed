"""Download archives from the publishers' sites, check them and unpack them."""

import contextlib
import logging
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pooch

from unet_exp.datasets.cache import is_writable
from unet_exp.files import leads_out, locked
from unet_exp.numbers import format_bytes
from unet_exp.secrets.masking import is_masked

logger = logging.getLogger(__name__)


def require_data(
    folder: Path,
    holds: Callable[[Path], bool],
    what: str,
    url: str,
    sha256: str | None = None,
    download: bool = True,
    archive_limit: float = 64.0,
) -> None:
    """Ensure that ``folder`` holds the data, and download them if ``download`` allows it.

    Raises FileNotFoundError if the data (``what`` in the message) are missing and cannot be
    downloaded.
    """
    if holds(folder):
        return
    remedy = (
        f"unzip it yourself so that it becomes {folder}/, or point data_dir (or UNET_EXP_DATA) at "
        f"a folder that holds {folder.name}/."
    )
    if is_masked(url):
        raise FileNotFoundError(
            f"No {what} in {folder}, and {url} lacks its secret, because no record keeps it. Give "
            "dataset.url=... again with the secret."
        )
    if not download:
        raise FileNotFoundError(
            f"No {what} in {folder}. Run with dataset.download=true to fetch {url}, {remedy}"
        )
    try:
        fetch(url, folder, holds, sha256, archive_limit)
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        reason = " ".join(str(error).split())[:240]
        if type(error).__name__ in ("ConnectionError", "ConnectTimeout"):  # they quote all causes
            reason = f"no connection to {urlsplit(url).netloc}"
        raise FileNotFoundError(
            f"No {what} in {folder}, and {url} could not be fetched ({reason}). "
            f"Get that file by other means and {remedy}"
        ) from error


def fetch(
    url: str,
    folder: Path,
    holds: Callable[[Path], bool],
    sha256: str | None = None,
    archive_limit: float = 64.0,
) -> None:
    """Download a zip and move the folder in it for which ``holds`` is true to ``folder``.

    The zip is unpacked in a temporary folder, so an interrupted download leaves nothing that looks
    like data. If there are several processes, one downloads and the others wait.

    Raises OSError if the zip cannot be downloaded or written, zipfile.BadZipFile if it is damaged,
    and ValueError if its checksum is wrong, `unpack` refuses it, or it lacks the data.
    """
    parent = folder.absolute().parent
    if not is_writable(parent):
        raise PermissionError(f"{parent} is read-only")
    with _made(parent), _one_at_a_time(parent / ".download.lock"):
        if holds(folder):
            return
        if folder.exists() and any(folder.iterdir()):
            raise FileExistsError(f"{folder} exists, but is not complete; move it away")
        with tempfile.TemporaryDirectory(prefix=".download-", dir=parent) as staging:
            logger.info("Downloading %s to %s", url, parent)
            pooch.get_logger().setLevel("WARNING")  # its advice is about pooch's arguments
            archive = pooch.retrieve(
                url,
                known_hash=f"sha256:{sha256}" if sha256 else None,
                fname="archive.zip",
                path=staging,
                progressbar=True,
            )
            unpacked = Path(staging) / "unpacked"
            unpack(Path(archive), unpacked, archive_limit)
            folders = [unpacked, *sorted(p for p in unpacked.rglob("*") if p.is_dir())]
            found = next((p for p in folders if holds(p)), None)
            if found is None:
                names = ", ".join(sorted(p.name for p in unpacked.iterdir())[:8])
                raise ValueError(f"the archive holds other things: {names}")
            found.replace(folder)


def unpack(archive: Path, folder: Path, limit: float = 64.0) -> None:
    """Unzip into a new folder.

    Raises ValueError before anything is written if a path or a link may lead out of ``folder``, or
    if the archive unpacks to more than ``limit`` GiB or the free space on the disk. Raises
    zipfile.BadZipFile if the archive is damaged.
    """
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            if leads_out(member.filename):
                raise ValueError(f"the archive has a path out of its folder: {member.filename}")
            if stat.S_ISLNK(member.external_attr >> 16):
                raise ValueError(f"the archive has a link: {member.filename}")
        size = sum(member.file_size for member in file.infolist())
        if size > limit * 2**30:
            raise ValueError(
                f"the archive unpacks to {format_bytes(size)}, more than "
                f"dataset.archive_limit={limit:g} GiB; give a larger one if you trust it"
            )
        folder.mkdir(parents=True)
        if size > (free := shutil.disk_usage(folder).free):
            raise ValueError(
                f"the archive unpacks to {format_bytes(size)}, and the disk of {folder.parent} "
                f"has {format_bytes(free)} free"
            )
        file.extractall(folder)


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Create a folder, and remove it again if the body fails."""
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            if new:
                folder.rmdir()
        raise


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Wait for a lock file, hold it, and remove it at the end."""
    with locked(path, timeout=-1):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows cannot remove an open file
                path.unlink()

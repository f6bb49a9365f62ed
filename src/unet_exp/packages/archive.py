"""Read members of a zip archive that may come from an enemy. Nothing is unpacked to disk."""

import io
import struct
import zipfile
import zlib
from collections import Counter
from pathlib import Path

from unet_exp.files import leads_out
from unet_exp.numbers import format_bytes

#: Largest number of members of an archive, and of bytes of its table of contents.
MOST_MEMBERS, LARGEST_TABLE = 1000, 4 * 2**20
#: Largest compression ratio. Members of up to `SMALL` bytes may exceed it.
LARGEST_RATIO, SMALL = 100, 2**20
#: Bytes read at once.
CHUNK = 2**20
#: Errors of a damaged archive.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OverflowError,
    ValueError,
)  # fmt: skip


class PackageError(ValueError):
    """A package cannot be used."""


class Archive:
    """A zip archive whose members are read one by one, each up to a limit.

    Raises PackageError if the file is no zip archive, if it has too many members or two of the same
    name, or if a name is a path out of its folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with _SmallReads(path.open("rb", buffering=0)) as file:
                members = zipfile.ZipFile(file).infolist()
        except DAMAGE as error:
            raise PackageError(f"{path} is no zip archive that can be read ({error}).") from error
        if len(members) > MOST_MEMBERS:
            raise PackageError(
                f"{path} has {len(members)} members, more than {MOST_MEMBERS}. Leave out what is "
                "not part of the package."
            )
        names = Counter(member.filename for member in members)
        for name, count in names.items():
            if leads_out(name):
                raise PackageError(
                    f"{path} names {name}, a path out of it. Do not trust this package."
                )
            if count > 1:
                raise PackageError(f"{path} has {count} members {name}. Give each name once.")
        self.members = {member.filename: member for member in members}

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of a member, of at most ``limit`` bytes.

        Raises PackageError if there is no such member, or it is damaged, encrypted or larger.
        """
        member = self.members.get(name)
        if member is None:
            raise PackageError(f"{self.path} has no {name}. Take a package with all of its files.")
        self.require_modest(member, limit)
        content = bytearray()
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(member) as file:
                while len(content) <= limit and (chunk := file.read(CHUNK)):
                    content += chunk
        except (*DAMAGE, OSError) as error:
            raise PackageError(
                f"{name} in {self.path} is damaged ({error}). Fetch the package again."
            ) from error
        if len(content) != member.file_size:
            raise PackageError(f"{name} in {self.path} is cut short. Fetch the package again.")
        return bytes(content)

    def require_modest(self, member: zipfile.ZipInfo, limit: int) -> None:
        """Refuse a member that is encrypted, too large, or packed like a bomb."""
        what = f"{member.filename} in {self.path}"
        if member.flag_bits & 1:
            raise PackageError(f"{what} is encrypted. Pack it without a password.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PackageError(
                f"{what} is packed by method {member.compress_type}. Pack it with the usual one "
                "of zip (deflate)."
            )
        if member.file_size > limit:
            raise PackageError(
                f"{what} unpacks to {format_bytes(member.file_size)}, more than "
                f"{format_bytes(limit)}, which is enough for such a file."
            )
        most = max(SMALL, LARGEST_RATIO * member.compress_size)
        if member.file_size > most:
            raise PackageError(
                f"{what} unpacks from {format_bytes(member.compress_size)} to "
                f"{format_bytes(member.file_size)}, as zip bombs do. Pack it without compression "
                "if it is sound."
            )


class _SmallReads(io.BufferedReader):
    """A file that refuses to read much at once: the table of contents may claim to be huge."""

    def read(self, size: int | None = -1) -> bytes:
        wanted = LARGEST_TABLE + 1 if size is None or size < 0 else size
        content = super().read(wanted)
        if wanted > LARGEST_TABLE and len(content) > LARGEST_TABLE:
            raise PackageError(f"its table of contents is larger than {LARGEST_TABLE} bytes")
        return content

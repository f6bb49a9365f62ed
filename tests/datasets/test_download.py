import hashlib
import io
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from unet_exp.datasets.download import fetch, require_data, unpack


def holds(folder: Path) -> bool:
    return (folder / "image.txt").exists()


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in files.items():
            file.writestr(name, text)
    return buffer.getvalue()


GOOD = archive(**{"set/image.txt": "pixels " * 500, "set/01_GT/labels.txt": "1"})


class Site(ThreadingHTTPServer):
    """Serves one body to every request, and may promise more bytes than it sends."""

    daemon_threads = True
    body = GOOD
    promised = 0
    requests = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/set.zip"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: Site = self.server  # type: ignore[assignment]
        site.requests += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(site.body) + site.promised))
        self.end_headers()
        self.wfile.write(site.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    with Site(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def left_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_the_archives_folder_is_moved_into_place_whole(tmp_path, site) -> None:
    fetch(site.url, tmp_path / "data" / "set", holds, hashlib.sha256(GOOD).hexdigest())
    assert left_in(tmp_path / "data") == ["set"]
    assert (tmp_path / "data/set/01_GT/labels.txt").read_text() == "1"


def test_existing_data_are_not_downloaded(tmp_path, site) -> None:
    for _ in range(2):
        require_data(tmp_path / "set", holds, "image", site.url)
    assert site.requests == 1


@pytest.mark.parametrize(
    ("body", "promised", "sha256", "reason"),
    [
        (GOOD, 0, "0" * 64, "does not match the known hash"),
        (GOOD, 1000, None, "IncompleteRead|bytes missing"),
        (GOOD[: len(GOOD) // 2], 0, None, "File is not a zip file"),
        (GOOD.replace(b"\x00" * 4, b"\x01" * 4, 1), 0, None, "zip|header|Bad|decompress"),
        (b"<html>moved</html>", 0, None, "File is not a zip file"),
        (archive(**{"other.txt": "?"}), 0, None, "the archive holds other things: other.txt"),
        (archive(**{"../out.txt": "!", "image.txt": "?"}), 0, None, r"out of its folder: \.\./out"),
    ],
    ids=["checksum", "cut on the way", "cut at the source", "damaged", "a page", "other", "slip"],
)
def test_a_wrong_archive_is_never_taken_for_data(
    tmp_path, site, body, promised, sha256, reason
) -> None:
    site.body, site.promised = body, promised
    with pytest.raises(FileNotFoundError, match=reason):
        require_data(tmp_path / "data" / "set", holds, "image", site.url, sha256)
    assert left_in(tmp_path) == []


def test_a_folder_that_is_not_complete_is_left_as_it_is(tmp_path, site) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").touch()
    with pytest.raises(FileNotFoundError, match="is not complete; move it away"):
        require_data(tmp_path / "set", holds, "image", site.url)
    assert left_in(tmp_path / "set") == ["mine.txt"]


def test_nothing_is_written_to_a_read_only_folder(tmp_path, site) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(FileNotFoundError, match="is read-only"):
            require_data(tmp_path / "set", holds, "image", site.url)
    finally:
        tmp_path.chmod(0o755)
    assert left_in(tmp_path) == []
    assert site.requests == 0


def test_without_network_one_error_names_folder_address_and_ways_out(tmp_path) -> None:
    url = "http://127.0.0.1:9/set.zip"
    for download in (True, False):
        with pytest.raises(FileNotFoundError) as caught:
            require_data(tmp_path / "set", holds, "image", url, download=download)
        message = str(caught.value)
        assert message.startswith(f"No image in {tmp_path / 'set'}")
        assert url in message
        assert (
            f"so that it becomes {tmp_path / 'set'}/, or point data_dir (or UNET_EXP_DATA)"
            in message
        )
        assert ("dataset.download=true" in message) == (not download)
        assert ("no connection to 127.0.0.1:9" in message) == download


def test_of_several_processes_one_downloads(tmp_path, site) -> None:
    code = (
        "import sys, pathlib; from unet_exp.datasets.download import require_data\n"
        "holds = lambda folder: (folder / 'image.txt').exists()\n"
        "require_data(pathlib.Path(sys.argv[1]), holds, 'image', sys.argv[2])\n"
    )
    run = [sys.executable, "-c", code, str(tmp_path / "set"), site.url]
    jobs = [subprocess.Popen(run, env=dict(os.environ)) for _ in range(3)]
    assert [job.wait() for job in jobs] == [0, 0, 0]
    assert left_in(tmp_path) == ["set"]
    assert site.requests == 1


@pytest.mark.parametrize("name", ["/etc/passwd", "a/../../b", "..\\b", "C:\\b", "C:b"])
def test_paths_out_of_the_folder_are_refused_before_anything_is_written(tmp_path, name) -> None:
    (tmp_path / "a.zip").write_bytes(archive(**{"good.txt": "", name: ""}))
    with pytest.raises(ValueError, match="path out of its folder"):
        unpack(tmp_path / "a.zip", tmp_path / "new")
    assert left_in(tmp_path) == ["a.zip"]


def test_links_are_refused(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc")
    with pytest.raises(ValueError, match="has a link"):
        unpack(tmp_path / "a.zip", tmp_path / "new")


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(archive(image="0" * 2**22))  # 4 MiB
    assert path.stat().st_size < 2**13
    with pytest.raises(ValueError, match=r"more than dataset\.archive_limit=0\.003"):
        unpack(path, tmp_path / "unpacked", limit=0.003)
    assert not (tmp_path / "unpacked").exists()
    unpack(path, tmp_path / "unpacked", limit=0.004)
    assert (tmp_path / "unpacked" / "image").stat().st_size == 2**22

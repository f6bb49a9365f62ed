"""Secrets are in no file and no message, however they were given."""

import json
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.running import TINY_FILES, Command, Finished
from unet_exp.runs import processes

#: Passwords and tokens, none of which is a part of another word here.
URL, QUERY, KEYED, LISTED, FROM_ENV, STORAGE = (
    f"{name}-Xq7{number}wZ" for number, name in enumerate(
        ("urlpw", "querytoken", "keyed", "listed", "fromenv", "storage")
    )
)  # fmt: skip
SECRETS = (URL, QUERY, KEYED, LISTED, FROM_ENV, STORAGE)
#: Nobody listens there.
HOST = "127.0.0.1:9"


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return overrides that hold each secret, for a downloaded data set of two sequences."""
    for sequence in ("01", "02"):
        for frame in range(2):
            labels = np.zeros((64, 64), np.uint16)
            labels[8 : 40 + frame, 8:30] = 1
            labels[30:60, 40:60] = 2
            image = (labels > 0).astype(np.uint8) * 100 + np.arange(64, dtype=np.uint8)
            for name, array in (
                (f"{sequence}/t{frame:03}.tif", image),
                (f"{sequence}_GT/SEG/man_seg{frame:03}.tif", labels),
            ):
                path = tmp_path / "data" / "set" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                tifffile.imwrite(path, array)
    monkeypatch.setenv("SET_PASSWORD", FROM_ENV)
    monkeypatch.setenv("NO_PROXY", "*")  # which may answer for the host where nobody listens
    return [
        *(word for word in TINY_FILES if not word.startswith("logger=")),
        "trainer.max_steps=2",
        "metric=[seg]",
        "dataset=cell_tracking",
        "dataset.name=set",
        f"data_dir={tmp_path}/data",
        f'dataset.url="https://me:{URL}@{HOST}/set.zip?X-Amz-Signature={QUERY}"',
        f"++hydra.job.env_set={{SERVICE_API_KEY:{KEYED}}}",
        f'tags=[plain,"s3://me:{LISTED}@bucket","${{oc.env:SET_PASSWORD}}"]',
    ]


def leaks(folder: Path, *texts: str) -> list[str]:
    """Name each secret in a file, within an archive, in a name, or in a text."""
    places = [(f"text {number}", text.encode()) for number, text in enumerate(texts)]
    for path in folder.rglob("*"):
        if "data" in path.relative_to(folder).parts[:1]:
            continue
        places.append((f"{path}'s name", str(path).encode()))
        if path.is_file():
            places.append((str(path), path.read_bytes()))
        if path.is_file() and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                places += [(f"{path}:{name}", archive.read(name)) for name in archive.namelist()]
    return [
        f"{place}: {secret}"
        for place, content in places
        for secret in SECRETS
        if secret.encode() in content
    ]


def told(*ended: Finished) -> list[str]:
    return [text for one in ended for text in (one.out, one.err)]


def test_no_file_of_a_run_and_of_its_evaluation_has_a_secret(
    command: Command, words: list[str], tmp_path: Path
) -> None:
    trained = command("train", *words, "hydra.run.dir=run")
    assert trained.code == 0, trained.err
    other = ("scheduler=constant", "ckpt_path=run/checkpoints/last.ckpt", "hydra.run.dir=next")
    again = command("train", *words, *other, "trainer.max_steps=3")
    assert "scheduler" in again.err
    resumed = command("train", *words, "hydra.run.dir=run", "resume=true")
    assert resumed.code == 0, resumed.err
    scored = command("evaluate", "run=run", "hydra.run.dir=evaluation")
    assert scored.code == 0, scored.err
    assert not leaks(tmp_path, *told(trained, again, resumed, scored))
    # That it looked where they would be.
    assert list(Path("run/wandb").glob("offline-run-*/run-*.wandb"))
    assert "me:***@" in Path("run/config.yaml").read_text()
    kept = {path.name: path.read_text() for path in Path("run/.hydra").glob("*.yaml")}
    assert set(kept) == {"config.yaml", "hydra.yaml", "overrides.yaml"}
    assert all("***" in text for text in kept.values())
    assert "${oc.env:SET_PASSWORD}" in kept["overrides.yaml"]
    assert "X-Amz-Signature=***" in json.loads(Path("run/summary.json").read_text())["command"]


def test_no_file_of_a_sweep_has_a_secret_and_it_continues_with_secrets_given_again(
    command: Command, words: list[str], tmp_path: Path
) -> None:
    url = next(word for word in words if word.startswith("dataset.url="))
    words = [word for word in words if word != url]
    both = f"{url},{url.partition('=')[2].replace('set.zip', 'b.zip')}"
    swept = command("train", "-m", *words, both, "hydra.sweep.dir=sweep")
    assert swept.code == 0, swept.err + swept.out
    jobs = json.loads(Path("sweep/sweep.json").read_text())["jobs"]
    masked = 'dataset.url="https://me:***@127.0.0.1:9/{}.zip?X-Amz-Signature=***"'
    assert [job["overrides"] for job in jobs] == [[masked.format("set")], [masked.format("b")]]
    # As if the second job had not come to its end.
    Path("sweep/1/summary.json").write_text(json.dumps({"state": "failed"}))
    bare = command("train", "-m", "sweep.resume=sweep")
    assert bare.code == 1
    assert "dataset.url=" in bare.err
    data = next(word for word in words if word.startswith("data_dir="))
    again = ("-m", "sweep.resume=sweep", data, both, words[-2])
    untold = command("train", *again)
    assert untold.code == 1
    assert "lacks its secret" in untold.err
    assert "tags=[plain," in untold.err
    for link in Path("sweep").rglob("debug-core.log"):  # W&B's, to a file outside
        link.unlink()
    resumed = command("train", *again, words[-1])
    assert resumed.code == 0, resumed.err + resumed.out
    assert len(json.loads(Path("sweep/sweep.json").read_text())["jobs"]) == 2
    assert json.loads(Path("sweep/1/summary.json").read_text())["state"] == "finished"
    assert not leaks(tmp_path, *told(swept, bare, untold, resumed))


def test_no_message_has_a_secret(command: Command, words: list[str], tmp_path: Path) -> None:
    ended = [
        command("train", *words, "dataset.name=other", "debug=true", "hydra.run.dir=failed"),
        command("train", *words, f"dataset.password={KEYED}"),
        command("train", *words, f"+model.api_key={KEYED}"),
        command("train", *words, f"dataset.url=http://me:{URL}@host=("),
        command("train", *words, "--cfg", "all"),
        command("train", *words, "--help"),
        command("train", "-m", *words, "hydra/sweeper=optuna", "model.depth=1,2",
                f"hydra.sweeper.storage=postgresql+psycopg2://me:{STORAGE}@{HOST}/db"),
    ]  # fmt: skip
    assert [one.code for one in ended] == [1, 1, 1, 1, 0, 0, 1]
    assert not leaks(tmp_path, *told(*ended))
    assert "Traceback" in ended[0].err
    assert "***" in ended[0].err


def test_a_masked_value_says_which_key_to_give_again(command: Command, tmp_path: Path) -> None:
    url = "dataset.url=http://me:***@host/x.zip"
    done = command("train", "dataset=cell_tracking", "dataset.name=a", url)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert f"{url} lacks its secret" in done.err
    assert "Give dataset.url=... again" in done.err


def test_a_job_gets_its_secrets_in_a_separate_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omegaconf import OmegaConf

    seen: dict[str, object] = {}

    class Process:
        def __init__(self, words: list[str], *_: object) -> None:
            settings = Path(words[1])
            seen["words"] = words
            seen["mode"] = stat.S_IMODE(settings.stat().st_mode)
            seen["folder"] = stat.S_IMODE(settings.parent.stat().st_mode)
            seen["url"] = OmegaConf.load(settings).url

        def __enter__(self) -> "Process":
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(processes, "started", Process)
    monkeypatch.setattr(processes, "wait", lambda *_: (0, False))
    url = f"http://me:{URL}@host"
    cfg = OmegaConf.create({"url": url})
    processes.run_job(cfg, tmp_path / "run", f"python train.py url={url} 'password={KEYED} b'")
    assert (seen["mode"], seen["folder"], seen["url"]) == (0o600, 0o700, url)
    assert not [word for word in seen["words"] if URL in word or KEYED in word]  # pyright: ignore

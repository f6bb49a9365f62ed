"""From the command line to a task, and from an error to one clear message."""

import logging
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import hydra
from omegaconf import DictConfig, ListConfig

from unet_exp import schema
from unet_exp.commands.checks import check
from unet_exp.commands.errors import explain, is_full, run_folder

#: Characters that mean something in Hydra's overrides, and may stand in a file's name.
SPECIAL = set("[]{}(),:='\" ")
#: Values that name files or folders, so that nothing in them means anything else.
PATHS = {
    "input", "output", "checkpoint", "run", "data_dir", "dataset.root", "ckpt_path",
    "hydra.run.dir", "hydra.sweep.dir",
}  # fmt: skip

trace = logging.getLogger("unet_exp.trace")


def quoted(word: str, sweep: bool = False) -> str:
    """Quote the value of an override that names files, whatever their names hold.

    These are the values of ``PATHS``, each one of a list, and all that exist. In a sweep a value
    with commas is several.

    >>> quoted("model.depth=5"), quoted("metric=[iou,dice]"), quoted("output=2026_01_31")
    ('model.depth=5', 'metric=[iou,dice]', 'output="2026_01_31"')
    >>> quoted("checkpoint=[a.ckpt,b.ckpt]")
    'checkpoint=["a.ckpt","b.ckpt"]'
    """
    key, equals, value = word.partition("=")
    if not equals or not value or value[0] in "'\"" or "${" in value or value in ("null", "???"):
        return word
    if SPECIAL & set(value) and os.path.exists(value):  # noqa: PTH110 - "" and "\0" are no error
        return f"{key}={in_quotes(value)}"
    if key.lstrip("+") not in PATHS or (sweep and "," in value):
        return word
    if value.startswith("[") and value.endswith("]"):
        parts = (part.strip() for part in value[1:-1].split(",") if part.strip())
        return (
            f"{key}=[{','.join(p if p[0] in chr(39) + chr(34) else in_quotes(p) for p in parts)}]"
        )
    return f"{key}={in_quotes(value)}"


def in_quotes(value: str) -> str:
    """Write a text as Hydra reads it back.

    >>> in_quotes("a b")
    '"a b"'
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def launch(task: Callable[[DictConfig], Any], config_name: str) -> NoReturn:
    """Compose the configuration, run the task, and exit: 0 done, 1 failed, 130 interrupted."""
    schema.register()
    sweep = bool({"-m", "--multirun"} & set(sys.argv))
    sys.argv[1:] = [quoted(word, sweep) for word in sys.argv[1:]]
    # Hydra then hands every error on instead of printing stack traces itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # A log that cannot be written (a full disk) must not print stack traces either.
    logging.raiseExceptions = False
    failures: list[Exception] = []

    def guarded(cfg: DictConfig) -> Any:
        # A failed job must not end the others of a sweep.
        try:
            check(cfg, config_name)
            return task(cfg)
        except (KeyboardInterrupt, SystemExit) as end:
            # Lightning makes an exit code of its own out of Ctrl-C.
            if KeyboardInterrupt not in (type(end), type(end.__context__)):
                # A scheduler's SIGTERM ends the loop without a code; it is no success.
                sys.exit(end.code if isinstance(end, SystemExit) and end.code else 143)
            print(f"\nInterrupted.{how_to_go_on()}", file=sys.stderr, flush=True)
            sys.exit(130)
        except Exception as error:
            trace.error("".join(traceback.format_exception(error)))
            report(error, debug=cfg.get("debug") is True)
            failures.append(error)
            return None

    try:
        hydra.main(version_base="1.3", config_path=str(schema.CONF), config_name=config_name)(
            guarded
        )()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        report(error, debug=any(word.endswith("debug=true") for word in sys.argv))
        folder = run_folder(error)
        if is_full(error) and folder:
            # Half of a configuration is worse than none.
            shutil.rmtree(folder / ".hydra", ignore_errors=True)
        sys.exit(1)
    sys.exit(1 if failures else 0)


def listed(value: Any) -> list[Path]:
    """Return the paths that one value or a list of them names.

    >>> listed("a.ckpt") == [Path("a.ckpt")]
    True
    """
    return [Path(str(one)) for one in (value if isinstance(value, ListConfig) else [value])]


def report(error: Exception, debug: bool) -> None:
    """Print one clear message; with ``debug`` the stack trace before it."""
    if debug:
        traceback.print_exception(error)
    print(f"Error: {explain(error)}", file=sys.stderr, flush=True)


def how_to_go_on() -> str:
    """Return how an interrupted training goes on, if it has saved anything."""
    folder = run_folder()
    if folder is None or not (folder / "checkpoints" / "last.ckpt").exists():
        return ""
    return f" To go on, add resume=true hydra.run.dir={folder} to the same command."

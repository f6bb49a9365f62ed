"""One job of a command: check the configuration, run the task, and report how it ended."""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import Any

from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration import schema
from unet_exp.configuration.errors import KilledError, Preempted, explain, run_folder
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.check import check, in_sweep
from unet_exp.runs.refusals import clean_up
from unet_exp.secrets.masking import learn, masked

trace = logging.getLogger("unet_exp.trace")


def run_task(
    task: Callable[[DictConfig], Any],
    config_name: str,
    failures: list[Exception],
    cfg: DictConfig,
) -> Any:
    """Check a configuration and run a task with it.

    An error is reported and added to ``failures`` instead of raised, because a failed job must not
    end the other jobs of a sweep.
    """
    schema.register()  # a launcher may run this in another process
    learn(OmegaConf.to_container(cfg, resolve=False))
    sys.argv = masked(sys.argv)  # W&B and other libraries record it
    try:
        check(cfg, config_name)
        return task(cfg)
    except Preempted:
        print(f"\nAsked to stop.{how_to_resume()}", file=sys.stderr, flush=True)
        raise
    except (KeyboardInterrupt, SystemExit) as end:
        # After Ctrl-C, Lightning raises its own exit code.
        if KeyboardInterrupt not in (type(end), type(end.__context__)):
            # After a scheduler's SIGTERM, the loop ends without a code, but this is no success.
            sys.exit(end.code if isinstance(end, SystemExit) and end.code else 143)
        print(f"\nInterrupted.{how_to_resume()}", file=sys.stderr, flush=True)
        if not in_sweep():
            clean_up(run_folder(), config_name)
        sys.exit(130)
    except Exception as error:
        trace.error("".join(traceback.format_exception(error)))
        folder = run_folder()
        if config_name == "train" and in_sweep() and folder:
            # The sweep's table shows the error; printed here, it would break the table.
            RunFolder(folder).amend_summary(state="failed", error=explain(error))
            return None
        report(error, config_name, debug=cfg.get("debug") is True)
        failures.append(error)
        if not in_sweep() and not isinstance(error, KilledError):
            clean_up(folder, config_name)
        return None


def report(error: Exception, command: str, debug: bool) -> None:
    """Print one clear message; with ``debug``, print the stack trace first."""
    if debug:
        traceback.print_exception(error)
    print(f"Error: {explain(error, command)}", file=sys.stderr, flush=True)


def how_to_resume() -> str:
    """Return how to continue an interrupted training, if it has saved anything."""
    folder = run_folder()
    if folder is not None and in_sweep():
        return f" To go on: -m sweep.resume={folder.parent}"
    if folder is None or not RunFolder(folder).last.exists():
        return ""
    return f" To go on, add resume=true hydra.run.dir={folder} to the same command."

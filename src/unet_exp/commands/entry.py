"""From the command line to a task, and from an error to one clear message."""

import logging
import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from string import Template
from typing import Any, NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from unet_exp.commands.refusals import take_back
from unet_exp.commands.required_paths import require_paths
from unet_exp.configuration import schema
from unet_exp.configuration.checks import check, check_single
from unet_exp.configuration.errors import KilledError, Preempted, explain, run_folder
from unet_exp.configuration.groups import CONF
from unet_exp.configuration.hydra_files import keep, to_yaml
from unet_exp.configuration.overrides import CFG, HELP, CommandLine
from unet_exp.configuration.paths import settle_environment, settle_paths, tidy
from unet_exp.configuration.replay import require_no_links
from unet_exp.runs.slurm import requeue, requeued
from unet_exp.secrets.masking import learn, masked
from unet_exp.shown import screened
from unet_exp.sweeps.given_again import require_secrets
from unet_exp.sweeps.resuming import with_resumed

trace = logging.getLogger("unet_exp.trace")


def launch(task: Callable[[DictConfig], Any], config_name: str) -> NoReturn:
    """Compose the configuration, run the task, and exit.

    The exit code is 0 (done), 1 (failed), 75 (asked to stop, and saved) or 130 (interrupted).
    """
    learn(os.environ)
    learn(sys.argv)
    with screened():
        sys.exit(run(task, config_name))


def run(task: Callable[[DictConfig], Any], config_name: str) -> int:
    """Do what :func:`launch` says, on a screen without secrets; return the exit code."""
    schema.register()
    # Hydra then raises every error instead of printing stack traces itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # A log that cannot be written (a full disk) must not print stack traces either.
    logging.raiseExceptions = False
    failures: list[Exception] = []
    try:
        settle_environment()
        line = command_line(config_name)
        sys.argv[1:] = line.words()
        if line.asks(HELP):
            print(help_text(config_name, line))
            return 0
        if line.asks(CFG):
            # A value alone (--package) does not say that it is a secret.
            learn(OmegaConf.to_container(composed(config_name, line), resolve=False))
        if config_name == "train":
            for folder in filter(None, map(line.value, ("hydra.run.dir", "hydra.sweep.dir"))):
                require_no_links(Path(str(folder)))
            if follows(line.is_sweep):
                return train_with_the_first()
        hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(
            partial(guarded, task, config_name, failures)
        )()
    except KeyboardInterrupt:
        return 130
    except Preempted:
        if requeue():
            print("The job is queued again, and will go on by itself.", file=sys.stderr)
        raise
    except Exception as error:
        report(error, debug=any(word.endswith("debug=true") for word in sys.argv))
        take_back(run_folder(), config_name)
        return 1
    finally:
        tidy()
    return 1 if failures else 0


def command_line(config_name: str) -> CommandLine:
    """Read the command line, and add what a training that goes on needs besides."""
    line = CommandLine.read(sys.argv[1:], config_name)
    if config_name == "train":
        line = with_resumed(line.adding(*requeued(line)))
    require_secrets(line.words())
    return line


def help_text(config_name: str, line: CommandLine) -> str:
    """Return the help of a command, with the values that its overrides set.

    Hydra's own help also lists all groups, those of the schemas included, which takes seconds.
    """
    cfg = composed(config_name, line)
    template = Template(cfg.hydra.help.template)
    with open_dict(cfg):
        del cfg["hydra"]
    return template.substitute(CONFIG=to_yaml(cfg))


def composed(config_name: str, line: CommandLine) -> DictConfig:
    """Return the configuration of a command line, with Hydra's own part."""
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        return hydra.compose(config_name, overrides=line.texts(), return_hydra_config=True)


def guarded(
    task: Callable[[DictConfig], Any],
    config_name: str,
    failures: list[Exception],
    cfg: DictConfig,
) -> Any:
    """Run a task; a failed job of a sweep must not end the others."""
    schema.register()  # a launcher may have brought this to another process
    learn(OmegaConf.to_container(cfg, resolve=False))
    sys.argv = masked(sys.argv)  # for whoever keeps it, such as W&B
    try:
        if not in_sweep():
            check_single(HydraConfig.get())
        settle_paths(cfg)
        require_paths(cfg, config_name)
        check(cfg, config_name)
        if config_name != "predict" or HydraConfig.get().output_subdir:
            keep(cfg)
        return task(cfg)
    except Preempted:
        print(f"\nAsked to stop.{how_to_go_on()}", file=sys.stderr, flush=True)
        raise
    except (KeyboardInterrupt, SystemExit) as end:
        # Lightning makes an exit code of its own out of Ctrl-C.
        if KeyboardInterrupt not in (type(end), type(end.__context__)):
            # A scheduler's SIGTERM ends the loop without a code; it is no success.
            sys.exit(end.code if isinstance(end, SystemExit) and end.code else 143)
        print(f"\nInterrupted.{how_to_go_on()}", file=sys.stderr, flush=True)
        if not in_sweep():
            take_back(run_folder(), config_name)
        sys.exit(130)
    except Exception as error:
        trace.error("".join(traceback.format_exception(error)))
        folder = run_folder()
        if config_name == "train" and in_sweep() and folder:
            # The sweep's table tells of it, at its end too; here it would tear the table.
            from unet_exp.runs.summary import amend

            amend(folder, state="failed", error=explain(error))
        else:
            report(error, debug=cfg.get("debug") is True)
            failures.append(error)
            if not in_sweep() and not isinstance(error, KilledError):
                take_back(folder, config_name)
        return None


def in_sweep() -> bool:
    """Tell whether this is a job of a sweep."""
    return HydraConfig.initialized() and not OmegaConf.is_missing(HydraConfig.get().job, "num")


def follows(sweep: bool) -> bool:
    """Tell whether torchrun started this process beside a first one, which composes for all.

    Raises
    ------
    ValueError
        If it started a sweep, each job of which has processes of its own.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ or int(os.environ.get("WORLD_SIZE", 1)) == 1:
        return False
    if sweep:
        raise ValueError(
            "A sweep (-m) starts the processes of its jobs itself. Leave torchrun out: "
            "python train.py -m trainer=ddp trainer.devices=2 ..."
        )
    return int(os.environ["RANK"]) > 0


def train_with_the_first() -> int:
    """Train what the first process of torchrun has composed."""
    from unet_exp.runs.fit import fit
    from unet_exp.runs.processes import follow

    cfg, folder = follow()
    learn(OmegaConf.to_container(cfg))
    fit(cfg, folder)
    return 0


def report(error: Exception, debug: bool) -> None:
    """Print one clear message; with ``debug`` the stack trace before it."""
    if debug:
        traceback.print_exception(error)
    print(f"Error: {explain(error)}", file=sys.stderr, flush=True)


def how_to_go_on() -> str:
    """Return how an interrupted training goes on, if it has saved anything."""
    folder = run_folder()
    if folder is not None and in_sweep():
        return f" To go on: -m sweep.resume={folder.parent}"
    if folder is None or not (folder / "checkpoints" / "last.ckpt").exists():
        return ""
    return f" To go on, add resume=true hydra.run.dir={folder} to the same command."

"""Run the task of a command line, and turn errors into clear messages."""

import logging
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import hydra
from omegaconf import DictConfig, OmegaConf

from unet_exp.commands.help_topics import asks_help, help_text
from unet_exp.commands.job import report, run_task
from unet_exp.configuration import schema
from unet_exp.configuration.errors import Preempted, run_folder
from unet_exp.configuration.groups import CONF
from unet_exp.configuration.overrides import CFG, CommandLine
from unet_exp.configuration.own_options import find_own_options, search_path
from unet_exp.configuration.paths import settle_environment, tidy
from unet_exp.configuration.replay import require_no_links
from unet_exp.runs.refusals import clean_up
from unet_exp.runs.slurm import requeue, requeued
from unet_exp.secrets.masking import learn
from unet_exp.shown import screened
from unet_exp.sweeps.resuming import require_secrets, with_resumed
from unet_exp.training.torchrun import is_one_of_several, rank, receive


def launch(task: Callable[[DictConfig], Any], config_name: str) -> NoReturn:
    """Compose the configuration, run the task, and exit.

    The exit code is 0 (done), 1 (failed), 75 (asked to stop, and saved) or 130 (interrupted).
    """
    learn(os.environ)
    learn(sys.argv)
    with screened():
        sys.exit(run(task, config_name))


def run(task: Callable[[DictConfig], Any], config_name: str) -> int:
    """Do the work of :func:`launch`, with secrets masked on the screen; return the exit code."""
    # With this, Hydra raises every error instead of printing stack traces.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # If the log cannot be written (a full disk), logging must not print stack traces either.
    logging.raiseExceptions = False
    failures: list[Exception] = []
    try:
        if asks_help(sys.argv[1:]):
            width = min(shutil.get_terminal_size((80, 24)).columns, 100)
            print(help_text(config_name, sys.argv[1:], width))
            return 0
        schema.register()
        settle_environment()
        line = command_line(config_name)
        find_own_options(line)
        sys.argv[1:] = line.words()
        if line.asks(CFG):
            # --package prints a value without its name, so its secrets must be known before.
            learn(OmegaConf.to_container(composed(config_name, line), resolve=False))
        if config_name == "train":
            for folder in filter(None, map(line.value, ("hydra.run.dir", "hydra.sweep.dir"))):
                require_no_links(Path(str(folder)))
            if follows(line.is_sweep):
                return train_with_the_first()
        hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(
            partial(run_task, task, config_name, failures)
        )()
    except KeyboardInterrupt:
        return 130
    except Preempted:
        if requeue():
            print("The job is queued again, and will go on by itself.", file=sys.stderr)
        raise
    except Exception as error:
        report(error, config_name, debug=any(word.endswith("debug=true") for word in sys.argv))
        clean_up(run_folder(), config_name)
        return 1
    finally:
        tidy()
    return 1 if failures else 0


def command_line(config_name: str) -> CommandLine:
    """Read the command line, and add the overrides that a resumed training needs."""
    line = CommandLine.read(sys.argv[1:], config_name)
    if config_name == "train":
        line = with_resumed(line.adding(*requeued(line)))
    require_secrets(line.words())
    return line


def composed(config_name: str, line: CommandLine) -> DictConfig:
    """Return the configuration of a command line, with Hydra's own part."""
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        words = [*line.texts(), *search_path(line)]
        return hydra.compose(config_name, overrides=words, return_hydra_config=True)


def follows(sweep: bool) -> bool:
    """Tell whether torchrun started this process and the first one, which composes for all."""
    if not is_one_of_several():
        return False
    if sweep:
        raise ValueError(
            "A sweep (-m) starts the processes of its jobs itself. Leave torchrun out: "
            "python train.py -m trainer=ddp trainer.devices=2 ..."
        )
    return rank() > 0


def train_with_the_first() -> int:
    """Train with the configuration that the first process of torchrun has composed."""
    from unet_exp.runs.fit import fit

    cfg, folder = receive()
    learn(OmegaConf.to_container(cfg))
    fit(cfg, folder)
    return 0

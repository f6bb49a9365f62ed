"""Train in this process, and record the run in its folder."""

import logging
import math
import time
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from lightning import seed_everything
from omegaconf import DictConfig

from unet_exp.configuration.errors import Preempted
from unet_exp.configuration.hydra_files import to_yaml
from unet_exp.configuration.objects import build
from unet_exp.files import locked, write_atomically
from unet_exp.records.run_folder import RunFolder
from unet_exp.reports.run_page import write_run_page
from unet_exp.runs.announcement import announce
from unet_exp.runs.budget import settle_budget
from unet_exp.runs.callbacks import ending
from unet_exp.runs.final_fit import chosen_images, fit_postprocessing, given_values, log_gains
from unet_exp.runs.final_scores import score_validation
from unet_exp.runs.planned import require_one_end, settle_by_start
from unet_exp.runs.preparation import PreparedTraining, prepare
from unet_exp.runs.printed_results import print_results
from unet_exp.runs.resume import require_fitting, run_id, source_of_weights, starting_point
from unet_exp.runs.summary import command_line, summary
from unet_exp.training.assembly import build_dataset
from unet_exp.training.datamodule import DataModule
from unet_exp.training.init_from import take_weights
from unet_exp.training.loggers import address, finish
from unet_exp.training.ranks import leave
from unet_exp.training.report_writer import ReportWriter
from unet_exp.training.schedule import describe_change
from unet_exp.training.stopping import Stopping
from unet_exp.training.torchrun import rank
from unet_exp.training.trainer import build_trainer
from unet_exp.training.waiting import DataWait

log = logging.getLogger(__name__)

#: Seconds to wait while another process that trains in the same folder saves and ends.
PATIENCE = 60.0


def fit(cfg: DictConfig, path: Path, command: str | None = None) -> float:
    """Train, record the run in the folder ``path``, and return the best score.

    Parameters
    ----------
    command
        The command that repeats the training. None means the command of this process.

    Raises KeyboardInterrupt or Preempted if the training was asked to stop and has been saved.
    """
    with Stopping(path) as stopping:
        return fit_until_stopped(cfg, RunFolder(path), command, stopping)


def fit_until_stopped(
    cfg: DictConfig, folder: RunFolder, command: str | None, stopping: Stopping
) -> float:
    """Train as :func:`fit` does, while ``stopping`` listens for requests to stop."""
    chosen_score = cfg.monitor.metric != "auto"
    training, start, resumed = begin(cfg, folder)
    score = cfg.monitor.metric if chosen_score else None
    if cfg.preview:
        return preview(training.loaders, folder)
    training.loaders.check()
    # This callback comes after those whose state is in the checkpoint.
    report = ReportWriter(lambda: write_run_page(folder))
    callbacks = [*training.callbacks, stopping, DataWait(), report]
    trainer = build_trainer(folder.path, callbacks, [], build(cfg.trainer))

    # If a run has several processes, the first one writes the record.
    first = rank() == 0
    monitor, mode, metrics = training.monitor, training.mode, training.metrics
    facts = {"name": cfg.name, "run_id": run_id(folder, resumed), "monitor": monitor, "mode": mode}
    facts |= {"command": command} if command else {}
    busy = FileExistsError(
        f"Another process trains in {folder.path}. Wait for its end, or give another hydra.run.dir."
    )
    # A job whose sweep was killed saves its checkpoint and ends.
    lock = locked(folder.lock, PATIENCE, busy) if first else nullcontext()
    reporting = closing(report) if first else nullcontext()
    summarizing = summary(folder, resumed, **facts) if first else nullcontext({})
    with lock, reporting, summarizing as record:
        if first:
            write_atomically(folder.config, to_yaml(cfg))
        if cfg.compile:
            training.module.network.compile()
        failed, loggers, tuned = True, [], None
        try:
            if first:
                announce(training, trainer, folder.path, start)
                logger = build(cfg.logger)(
                    folder=folder.path, run_id=facts["run_id"], config=training.config
                )
                trainer.loggers = loggers = [logger] if logger else []
            data = DataModule(training.loaders)
            trainer.fit(training.module, data, ckpt_path=start, weights_only=True)
            if trainer.interrupted:
                raise KeyboardInterrupt
            record["state"] = stopping.reason or "finished"
            record["ended_by"] = ending(trainer, stopping.reason, training.own)
            leave()  # other processes end here, while the first one fits the postprocessing
            in_terminal = command is None and trainer.world_size == 1
            if first and is_worth_fitting(stopping.reason, folder, in_terminal):
                held = tuple(given_values(command or command_line()))
                device = trainer.strategy.root_device
                try:
                    tuned = fit_postprocessing(
                        cfg, training.loaders, folder, device, score, held, stopping.raise_if_asked
                    )
                    log_gains(loggers, tuned, trainer.global_step)
                    images = chosen_images(training.loaders, cfg.trainer.limit_val_batches)
                    score_validation(cfg, images, folder, device, tuned, stopping.raise_if_asked)
                except Preempted:  # the resumed run then only fits the postprocessing
                    stopping.reason = record["state"] = stopping.asked
            failed = stopping.reason in ("preempted", "interrupted")  # W&B continues the run later
        finally:
            best, pictures = metrics.best(monitor, mode), training.gallery.written
            record["steps"] = trainer.global_step
            record["scores"] = best
            record["score"] = best.get(monitor)
            record["pictures"] = [str(path.relative_to(folder.path)) for path in pictures]
            record["fitted_postprocessing"] = tuned.as_dict() if tuned else None
            record["wandb"] = address(loggers)
            finish(loggers, failed)
    if stopping.reason == "preempted":
        raise Preempted
    if stopping.reason == "interrupted":
        raise KeyboardInterrupt
    if first:
        dataset = training.loaders.dataset
        print_results(folder, best, tuned, pictures, record["ended_by"], dataset)
    return float(best.get(monitor, math.nan))


def begin(cfg: DictConfig, folder: RunFolder) -> tuple[PreparedTraining, Path | None, bool]:
    """Write values of a checkpoint, a budget or the plan into ``cfg``; prepare the training.

    Also returns the checkpoint to start from, if any, and whether this resumes the folder's run.
    """
    started = time.monotonic()
    seed_everything(cfg.seed, verbose=False)
    require_one_end(cfg)
    start, resumed = starting_point(cfg, folder)
    weights = None if start else source_of_weights(cfg)
    settle_by_start(cfg, start, weights)
    dataset = build_dataset(cfg)
    budget = [] if cfg.preview else settle_budget(cfg, dataset, started)
    # With this seed, a training with max_steps and without the budget gives the same result.
    seed_everything(cfg.seed, verbose=False)
    training = prepare(cfg, dataset, folder)
    training.plan.extend(budget)
    if start:
        step, planned = require_fitting(start, training.config, folder)
        if planned:
            rate = training.module.schedule_at(step)[1][0]["lr"]
            steps = training.config["trainer"]["max_steps"]
            training.notes["schedule"] = describe_change(step, planned, steps, rate)
    if weights:
        training.notes["weights"] = take_weights(
            training.module.network, weights, cfg.init_from.strict, training.config
        )
    return training, start, resumed


def is_worth_fitting(reason: str | None, folder: RunFolder, in_terminal: bool) -> bool:
    """Return whether to fit the postprocessing of a training that ended for this reason.

    After a Ctrl-C in a terminal, the fit makes the best checkpoint as useful as that of a finished
    training. A second Ctrl-C skips the fit. After all other stops, and in jobs of a sweep, there is
    no fit, so that they end without delay.
    """
    if reason == "interrupted" and in_terminal and folder.best.is_file():
        log.info("The training is saved. Ctrl-C again leaves out the fit of the postprocessing.")
        return True
    return reason is None


def preview(loaders: Any, folder: RunFolder) -> float:
    """Draw the first training samples as the network gets them."""
    from unet_exp.pictures.contact_sheet import contact_sheet

    tiles = loaders.train().dataset
    samples = [{k: v.numpy() for k, v in tiles[number].items()} for number in range(8)]
    path = folder.pictures / "training_samples.png"
    contact_sheet(samples, path)
    log.info("%s", path)
    return math.nan

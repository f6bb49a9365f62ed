"""The widget that segments an image layer, and tunes the result."""

# pyright: reportMissingImports=false
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import (
    Container,
    FileEdit,
    LineEdit,
    ProgressBar,
    PushButton,
    create_widget,
)
from napari.layers import Image, Labels
from napari.qt.threading import create_worker
from napari.utils.notifications import show_error
from napari.viewer import Viewer
from superqt.utils import ensure_main_thread

import unet_exp
from unet_exp.napari_plugin.layer_axes import LayerAxes
from unet_exp.napari_plugin.sliders import as_words, show_parameters, values

if TYPE_CHECKING:
    from unet_exp.api.segmented import Segmented
    from unet_exp.api.segmenter import Segmenter


class CancelledError(Exception):
    """The user has stopped the segmentation."""


@dataclass(frozen=True)
class Job:
    """The user's request, read from the widget and the layer before the thread starts."""

    checkpoint: Path
    data: Any
    rgb: bool
    axes: str
    name: str
    scale: tuple[float, ...]
    translate: tuple[float, ...]


@dataclass(frozen=True)
class Outcome:
    """The result of a job."""

    job: Job
    segmenter: "Segmenter"
    axes: LayerAxes
    found: "Segmented"

    def layer(self, kind: str, pixels: np.ndarray) -> Labels:
        """Return a layer over the image, with a result (pages, h, w)."""
        place = self.axes.place(self.segmenter.channels, self.job.scale, self.job.translate)
        return Labels(self.axes.result(pixels), name=f"{self.job.name} {kind}", **place)


class SegmentWidget(Container):
    """Segment the chosen image layer with a trained network.

    The network runs in a thread. Then the postprocessing can be tuned with sliders. This also runs
    in a thread, without running the network again.
    """

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.image = create_widget(annotation=Image, label="image")
        self.checkpoint = FileEdit(
            label="checkpoint",
            filter="Trained networks (*.ckpt *.zip)",
            tooltip="A checkpoint, or a BioImage.IO package. A run folder can be typed.",
        )
        self.axes = LineEdit(
            label="axes",
            tooltip="Empty, or a letter for each axis of the layer: Y (rows), X (columns), "
            "C (channels), others for pages. For example TCYX.",
        )
        self.run = PushButton(text="Segment")
        self.cancel = PushButton(text="Cancel", enabled=False)
        self.progress = ProgressBar(label="progress", value=0, min=0, max=1)
        self.sliders = Container(label="tune", labels=True)
        self.words = LineEdit(
            label="predict.py", tooltip="The values above, as predict.py takes them."
        )
        self.words.enabled = self.words.visible = self.sliders.visible = False
        super().__init__(
            widgets=[
                self.image, self.checkpoint, self.axes, self.run, self.cancel, self.progress,
                self.sliders, self.words,
            ]
        )  # fmt: skip
        self.run.changed.connect(self.start)
        self.cancel.changed.connect(self.stop)
        self.sliders.changed.connect(self.tune)
        self.worker: Any = None
        self.tuner: Any = None
        self.is_stale = False
        self.outcome: Outcome | None = None
        self.result: Labels | None = None

    def start(self) -> None:
        """Segment the chosen layer in a thread."""
        layer = self.image.value
        if layer is None:
            show_error("There is no image layer. Open an image first.")
            return
        if self.checkpoint.value == Path():
            show_error("No checkpoint is chosen. Choose one, such as best.ckpt of a run folder.")
            return
        job = Job(
            Path(self.checkpoint.value), layer.data[0] if layer.multiscale else layer.data,
            layer.rgb, self.axes.value.strip(), layer.name, tuple(layer.scale),
            tuple(layer.translate),
        )  # fmt: skip
        self.run.enabled, self.cancel.enabled = False, True
        self.show_progress(0, 0)
        self.worker = threaded(self.segment, self.show, self.fail, job)
        self.worker.finished.connect(self.finish)
        self.worker.start()

    def stop(self) -> None:
        """Ask the thread to end after its present step."""
        if self.worker is not None:
            self.worker.quit()

    def segment(self, job: Job) -> Outcome:
        """Load the network and run it. This is what the thread does."""
        segmenter = unet_exp.load(job.checkpoint)
        axes = LayerAxes.of(tuple(job.data.shape), job.rgb, segmenter.channels, job.axes)
        data = job.data
        if job.rgb and data.shape[-1] == 4 and segmenter.channels == 3:
            data = data[..., :3]  # the fourth is the opacity
        found = segmenter.predict(np.asarray(data), axes=axes.letters, progress=self.advance)
        return Outcome(job, segmenter, axes, found)

    def advance(self, done: int, steps: int) -> None:
        """Show a step of the thread, or end it."""
        if self.worker.abort_requested:
            raise CancelledError
        self.show_progress(done, steps)

    @ensure_main_thread
    def show_progress(self, done: int, steps: int) -> None:
        """Show the steps done; zero steps show that something runs."""
        self.progress.max, self.progress.value = steps, done

    def show(self, outcome: Outcome) -> None:
        """Add the results as layers, and show the sliders of the postprocessing."""
        self.outcome = outcome
        if outcome.found.classes is not None:
            self.viewer.add_layer(outcome.layer("classes", outcome.found.classes))
        self.result = outcome.layer("instances", outcome.found.instances)
        self.viewer.add_layer(self.result)
        with self.sliders.changed.blocked():
            show_parameters(self.sliders, outcome.segmenter.parameters)
        self.words.value = as_words(values(self.sliders))
        self.sliders.visible = self.words.visible = True

    def fail(self, error: Exception) -> None:
        """Show an error; unexpected errors are shown with their traceback, as napari does."""
        if isinstance(error, CancelledError):
            return
        if not is_expected(error):
            raise error
        show_error(str(error))

    def finish(self) -> None:
        """Allow the next segmentation."""
        self.worker = None
        self.run.enabled, self.cancel.enabled = True, False
        self.show_progress(0, 1)

    def tune(self) -> None:
        """Compute the instances for the values of the sliders; the latest values are used."""
        self.words.value = as_words(values(self.sliders))
        if self.tuner is not None:
            self.is_stale = True
            return
        outcome, labels = self.outcome, self.result
        if outcome is None or labels is None or labels not in self.viewer.layers:
            return
        self.is_stale = False

        def update(instances: np.ndarray) -> None:
            labels.data = outcome.axes.result(instances)

        given = values(self.sliders)
        self.tuner = threaded(
            lambda: outcome.segmenter.instances(outcome.found, **given), update, self.fail
        )
        self.tuner.finished.connect(self.finish_tuning)
        self.tuner.start()

    def finish_tuning(self) -> None:
        """Start again if a value has changed since."""
        self.tuner = None
        if self.is_stale:
            self.tune()


def threaded(work: Callable[..., Any], show: Any, fail: Any, *given: Any) -> Any:
    """Return a worker that calls a function in a thread, and shows its result or its error."""
    return create_worker(
        work, *given, _start_thread=False, _ignore_errors=True,
        _connect={"returned": show, "errored": fail},
    )  # fmt: skip


def is_expected(error: Exception) -> bool:
    """Tell whether the message of an error tells the user what to do."""
    from unet_exp.packages.package import PackageError
    from unet_exp.training.checkpoint import CheckpointError

    return isinstance(error, ValueError | OSError | CheckpointError | PackageError)

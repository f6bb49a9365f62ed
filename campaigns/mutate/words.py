"""Damaged command lines and options in YAML, and folders of damaged images."""

import filecmp
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import yaml

from campaigns import commands
from campaigns.commands import TINY
from campaigns.mutate.damage import rewritten, text_damaged
from campaigns.mutate.images import SOUND, write_mixed
from campaigns.trials import FaultError
from unet_exp.api.job import compose
from unet_exp.configuration.checks import validate
from unet_exp.configuration.groups import CONF

#: Overrides of people, to be damaged.
LINES: dict[str, tuple[str, ...]] = {
    "train": (
        *TINY, "dataset=hela", "model=sliding_window", "loss=weighted", "+metric=[seg,det]",
        "augmentation.flip=0.5", "name='a b'", "hydra.run.dir=out", "~logger", "optimizer.lr=1e-3",
        "trainer.budget=20min", "seed=3", "resume=true", "target=distance", "plan.budget=2h",
        "dataset.root=own", "trust=[a.B]", "init_from=best.ckpt", "experiment=hela_cpu",
    ),
    "predict": (
        "checkpoint=best.ckpt", "input=[a.tif,b.png]", "output=out", "channels=[0,2]", "axes=TZYX",
        "format=zarr", "outputs=[instances,table]", "postprocessing.threshold=0.4", "scale=auto",
        "nodata=[0,nan]", "+inference.tile=512", "tta=dihedral", "probability_type=uint8",
    ),
    "evaluate": (
        "run=outputs/runs/a", "split=test", "metric=[seg,average_precision]", "tta=rotations",
        "checkpoint=[a.ckpt,b.ckpt]", "dataset.root=own", "+inference.batch_size=2",
    ),
    "export": ("checkpoint=best.ckpt", "format=onnx", "output=model.onnx", "size=512"),
}  # fmt: skip


def composed(rng: Random, folder: Path) -> None:
    """Compose and check a damaged command line without starting it."""
    name = rng.choice(list(LINES))
    words = rng.sample(LINES[name], rng.randrange(1, 5))
    for _ in range(rng.choice((1, 1, 2, 4))):
        number = rng.randrange(len(words))
        words[number] = text_damaged(words[number], rng)
    if rng.random() < 0.1:
        words.insert(0, rng.choice(words))
    try:
        validate(compose(name, words), name)
    except ValueError as error:
        require_one_line(f"{name} {words}", error)


def require_one_line(what: str, error: Exception) -> None:
    text = str(error)
    if not text.strip() or "This was not foreseen" in text or len(text) > 5000:
        raise FaultError(
            f"{what}: {type(error).__name__} of {len(text)} characters: {text}"
        ) from error


def started(rng: Random, folder: Path) -> None:
    """Start a command with a damaged line; it may do something, but only here."""
    name = rng.choice(list(LINES))
    own = (*LINES["train"][len(TINY) :], *TINY) if name == "train" else LINES[name]
    words = rng.sample(own, rng.randrange(1, 4))
    number = rng.randrange(len(words))
    words[number] = text_damaged(words[number], rng)
    if name == "train":
        # What is left whole makes a training tiny; it is at most one of seconds.
        words = [*TINY, "dataset=folder", "dataset.root=missing", *words]
    commands.require_told(commands.run(name, words), f"{name} {words}")


def own_options(rng: Random, folder: Path) -> None:
    """Compose with an option of one's own, a damaged copy of one of the project's."""
    sound = rng.choice(sorted(CONF.glob("*/*.yaml")))
    group = sound.parent.name
    path = folder / "own" / group / "mine.yaml"
    path.parent.mkdir(parents=True)
    text = sound.read_text()
    if rng.random() < 0.5:
        try:
            text = yaml.safe_dump(rewritten(yaml.safe_load(text), rng), allow_unicode=True)
        except yaml.YAMLError:
            text = text_damaged(text, rng)
    else:
        for _ in range(rng.choice((1, 2, 4))):
            text = text_damaged(text, rng)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    words = [f"{group}=mine", f"hydra.searchpath=[file://{folder / 'own'}]"]
    try:
        validate(compose("train", words), "train")
    except ValueError as error:
        require_one_line(f"{sound.relative_to(CONF)}", error)


def prediction(checkpoint: Path, expected: Path) -> Callable[[Random, Path], None]:
    """The trial that damaged images do not hold up the sound one beside them.

    ``expected`` is the folder with the results of the sound image alone.
    """

    def trial(rng: Random, folder: Path) -> None:
        images, output = folder / "images", folder / "out"
        images.mkdir()
        list(write_mixed(images, rng, 6))
        (images / "sound.tif").write_bytes(SOUND["tiff"][0])
        words = [f"checkpoint={checkpoint}", f"input={images}", f"output={output}"]
        words += ["channels=luminance", "accelerator=cpu"]
        commands.require_told(commands.run("predict", words), "predict")
        for file in expected.glob("sound*"):
            if not (output / file.name).is_file():
                raise FaultError(f"{file.name} is missing: {commands.screen()[-300:]}")
            if not filecmp.cmp(file, output / file.name, shallow=False):
                raise FaultError(f"{file.name} differs beside damaged images")
        if hidden := [p.name for p in output.iterdir() if p.name.startswith(".")]:
            raise FaultError(f"predict leaves {hidden}")
        shutil.rmtree(output)

    return trial

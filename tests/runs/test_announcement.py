"""What a training prints before its first step, also in its log."""

import re
from pathlib import Path

from tests.running import TINY, Command

# A U-Net of depth 2 and 2, 4, 8 channels with batch norm: 3 x 3 convolutions without bias, two
# values of batch norm for each channel, transposed convolutions with bias, a 1 x 1 convolution.
CONVOLUTIONS = 9 * (1 * 2 + 2 * 2 + 2 * 4 + 4 * 4 + 4 * 8 + 8 * 8 + 8 * 4 + 4 * 4 + 4 * 2 + 2 * 2)
NORMS = 2 * 2 * (2 + 4 + 8 + 4 + 2)
UP = (4 * 8 * 4 + 4) + (4 * 4 * 2 + 2)
LAST = 2 * 2 + 2


def test_a_training_logs_its_settings_before_the_first_step(command: Command) -> None:
    words = ("dataset.validation=3", "loader.batch_size=2")
    done = command("train", *TINY, *words, "hydra.run.dir=run")
    assert done.code == 0, done.err
    folder, device, *rest = done.out.splitlines()[:7]
    assert folder == f"run folder  {Path('run').absolute()}"
    assert re.fullmatch(r"device +CPU \(.+\), 1 process, 32-true", device)
    assert [line.split(maxsplit=1)[1] for line in rest[:3]] == [
        f"UNet, {CONVOLUTIONS + NORMS + UP + LAST:,} parameters",
        "48 x 48 pixels, 2 per step",
        "4, a validation every 2",
    ]
    assert rest[3] == "data set    synthetic, 16 images to train on, 3 to validate on"
    assert rest[4] == "monitor     val/seg chooses best.ckpt, more is better"
    log = Path("run/train.log").read_text().splitlines()
    assert [line.partition("[INFO] ")[2] for line in log[:7]] == [folder, device, *rest]


def test_the_jobs_of_a_sweep_log_their_settings_to_files(command: Command) -> None:
    words = ("dataset.validation=1", "trainer.max_steps=1")
    done = command("train", "-m", *TINY, *words, "monitor.metric=loss", "hydra.sweep.dir=sweep")
    assert done.code == 0, done.err
    log = Path("sweep/0/train.log").read_text()
    assert log.count("[INFO] run folder ") == 1
    assert log.index("run folder ") < log.index("step 1/1")
    assert "val/loss chooses best.ckpt, less is better" in log
    assert "run folder " not in done.out

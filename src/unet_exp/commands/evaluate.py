"""Score a trained network on whole images: ``python evaluate.py run=outputs/runs/NAME/STAMP``."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from unet_exp.commands.entry import launch


def evaluate(cfg: DictConfig) -> dict[str, float]:
    """Print and write the scores of every image of a split and of all images together."""
    from unet_exp.evaluation import evaluate

    return evaluate.evaluate(cfg, Path(HydraConfig.get().runtime.output_dir))


def main() -> None:
    """Entry point of ``evaluate.py`` and ``unet-evaluate``."""
    launch(evaluate, "evaluate")


if __name__ == "__main__":
    main()

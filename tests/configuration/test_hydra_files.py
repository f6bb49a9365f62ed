"""Hydra's files are written without secrets, and replace what was there."""

from pathlib import Path

from omegaconf import OmegaConf

from unet_exp.configuration.hydra_files import write


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other, path = tmp_path / "other.yaml", tmp_path / "config.yaml"
    other.write_text("mine")
    path.symlink_to(other)
    write(OmegaConf.create({"api_key": "abc", "url": "${a}", "a": "???"}), path)
    assert other.read_text() == "mine"
    assert path.read_text() == "api_key: '***'\nurl: ${a}\na: ???\n"
    before = path.stat()
    write(OmegaConf.create({"api_key": "def", "url": "${a}", "a": "???"}), path)
    assert path.stat() == before

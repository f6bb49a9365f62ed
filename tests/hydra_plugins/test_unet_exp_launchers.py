import os
import subprocess
import sys

from tests.sweeps.launching import ROOT


def test_hydra_finds_the_launchers_at_its_start() -> None:
    # It runs these modules without their being in sys.modules.
    code = "from hydra.core.plugins import Plugins; print(Plugins.instance().discover())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    words = [sys.executable, "-c", code]
    found = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    for name in ("RayLauncher", "SlurmLauncher", "SlurmLocalLauncher"):
        assert f".{name}'" in found.stdout, found.stderr

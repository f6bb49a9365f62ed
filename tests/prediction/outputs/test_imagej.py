"""Results as ImageJ itself opens and measures them."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.prediction.outputs.drawings import DRAWN, MICROSCOPE, segmented

from unet_exp.prediction.outputs.arrays import ArrayFormat, Instances
from unet_exp.prediction.outputs.rois import Rois

JAR = Path("/usr/share/java/ij.jar")
MACRO = """
names = split(getArgument(), ",");
open(names[0]);
getLut(reds, greens, blues);
print(bitDepth(), reds[0] + greens[0] + blues[0], reds[1] + greens[1] + blues[1]);
run("ROI Manager...");
roiManager("Open", names[1]);
run("Set Measurements...", "area centroid modal redirect=None decimal=6");
for (i = 0; i < roiManager("count"); i++) { roiManager("select", i); run("Measure"); }
"""


@pytest.mark.real
@pytest.mark.skipif(
    not (JAR.exists() and shutil.which("xvfb-run") and shutil.which("xauth")),
    reason="needs ImageJ and a screen: apt-get install imagej default-jre xvfb xauth",
)
def test_imagej_opens_labels_in_colours_and_measures_the_rois(tmp_path: Path) -> None:
    found = segmented(DRAWN, tags=MICROSCOPE)
    Instances(ArrayFormat("auto")).write(tmp_path / "a.tif", found)
    Rois().write(tmp_path / "a.zip", found)
    (tmp_path / "a.ijm").write_text(MACRO)
    names = f"{tmp_path}/a.tif,{tmp_path}/a.zip"
    command = ["java", f"-Duser.home={tmp_path}", "-jar", JAR, "-batch", tmp_path / "a.ijm", names]
    done = subprocess.run(
        ["xvfb-run", "-a", *map(str, command)], capture_output=True, text=True, timeout=120
    )
    first, *rows = [line.split() for line in done.stdout.splitlines() if line[:1].isdigit()]
    depth, background, first_object = map(int, first)
    assert (depth, background) == (16, 0)
    assert first_object > 0
    measured = [[float(number) for number in row[1:5]] for row in rows]
    # A pixel has 0.25 x 0.5 micrometres; the objects have 8, 4 and 2 pixels.
    assert [(area, mode) for area, mode, _, _ in measured] == [(1, 1), (0.5, 2), (0.25, 3)]
    # The square has the columns 4 and 5 and the rows 0 and 1, counted from the corner.
    assert measured[1][2:] == [5 * 0.25, 1 * 0.5]

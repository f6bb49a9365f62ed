"""Modules that need an optional package are left out where it is missing."""

from importlib.util import find_spec

NEED_NAPARI = ["sliders.py", "segment_widget.py"]
collect_ignore = (
    [] if find_spec("napari") else [f"src/unet_exp/napari_plugin/{name}" for name in NEED_NAPARI]
)

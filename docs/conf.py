"""Settings of Sphinx for `make docs`. The build needs no network, and no page does."""

import logging
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE / "_ext"), str(ROOT / "src")]
# One thread: tiny networks gain nothing from more.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["WANDB_MODE"] = "disabled"
# What the examples log is no part of the log of the build.
logging.getLogger("unet_exp").addHandler(logging.NullHandler())
logging.getLogger("unet_exp").propagate = False

project = "unet_exp"
author = project_copyright = "The unet_exp authors"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "matplotlib.sphinxext.plot_directive",
    "sphinx_gallery.gen_gallery",
    "native_mathml",
    "no_network",
    "options_pages",
    "raises_first",
]
exclude_patterns = ["_build", "_ext", "pictures", "examples/*.ipynb"]

html_theme = "furo"
html_title = "unet_exp"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_sourcelink = False

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 4
html_math_renderer = "native_mathml"

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False

plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 110)]
plot_working_directory = str(HERE / "pictures")
plot_rcparams = {"figure.facecolor": "white", "font.size": 10, "savefig.bbox": "tight"}
plot_apply_rcparams = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples/python",
    "gallery_dirs": "examples",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "reset_modules": (),
}

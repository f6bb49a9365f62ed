"""A slider or a box for each parameter of a postprocessing."""

# pyright: reportMissingImports=false
from collections.abc import Sequence
from typing import Any

from magicgui.widgets import CheckBox, Container, FloatSlider, Slider
from qtpy.QtWidgets import QLabel

from unet_exp.postprocessing.parameters import Parameter

#: Pixels of a slider and its value; a docked widget is as narrow as its parts allow.
WIDTH = 140


def slider(parameter: Parameter) -> Any:
    """Return the widget of a parameter."""
    name, value = parameter.name, parameter.value
    label = name.replace("_", " ")
    if parameter.kind is bool:
        return CheckBox(name=name, label=label, value=value)
    span = {"min": parameter.range.minimum, "max": parameter.range.end(value)}
    if parameter.kind is int:
        span = {key: int(end) for key, end in span.items()}
        shown: Any = Slider(name=name, label=label, value=value, **span)
    else:
        shown = FloatSlider(name=name, label=label, value=value, step=0.01, **span)
    shown.min_width = WIDTH
    return shown


def show_parameters(container: Container, shown: Sequence[Parameter]) -> None:
    """Replace the widgets of a container by those of some parameters."""
    container.clear()
    for parameter in shown:
        container.append(slider(parameter))
    # magicgui measures the names in a smaller font than that of napari, and cuts them.
    labels = container.native.findChildren(QLabel)
    widest = max((label.sizeHint().width() for label in labels), default=0)
    for label in labels:
        label.setMinimumWidth(widest)


def values(container: Container) -> dict[str, Any]:
    """Return the values that are set, by the names of the parameters."""
    return {one.name: one.value for one in container}


def as_words(given: dict[str, Any]) -> str:
    """Return values as overrides of ``predict.py``.

    >>> as_words({"threshold": 0.4, "fill_holes": True})
    'postprocessing.threshold=0.4 postprocessing.fill_holes=true'
    """
    texts = {name: str(value).lower() for name, value in given.items()}
    return " ".join(f"postprocessing.{name}={text}" for name, text in texts.items())

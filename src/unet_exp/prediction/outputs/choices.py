"""The table of all outputs."""

from collections.abc import Callable, Sequence

from unet_exp.prediction.outputs.arrays import ArrayFormat, Classes, Instances, Probabilities
from unet_exp.prediction.outputs.geojson import GeoJson
from unet_exp.prediction.outputs.output import Output
from unet_exp.prediction.outputs.overlay import Overlay
from unet_exp.prediction.outputs.rois import Rois
from unet_exp.prediction.outputs.table import Table
from unet_exp.ranges import did_you_mean, require_choice

PROBABILITY_TYPES = ("float32", "uint8")
OUTPUTS: dict[str, Callable[[ArrayFormat, str], Output]] = {
    "probabilities": Probabilities,
    "classes": lambda kind, _: Classes(kind),
    "overlay": lambda *_: Overlay(),
    "table": lambda *_: Table(),
    "rois": lambda *_: Rois(),
    "geojson": lambda *_: GeoJson(),
    "instances": lambda kind, _: Instances(kind),
}
"""For each name, a function of the format of arrays and the type of probabilities."""


def require_known(names: Sequence[str]) -> None:
    """Raise ValueError for an unknown output, and suggest a similar name.

    >>> require_known(["tabel"])
    Traceback (most recent call last):
    ValueError: outputs=tabel is unknown. Did you mean table? Choose some of probabilities, ...
    """
    for name in names:
        if name not in OUTPUTS:
            raise ValueError(
                f"outputs={name} is unknown.{did_you_mean(name, OUTPUTS)} Choose some of "
                f"{', '.join(OUTPUTS)}."
            )


def chosen_outputs(
    names: Sequence[str] | None = None,
    kind: str = "auto",
    probability_type: str = "float32",
    classes: bool = False,
) -> list[Output]:
    """Return the outputs that are named, in the order of the table.

    Parameters
    ----------
    names
        If None: instances, probabilities and, with more than two classes, classes.
    kind
        Format of arrays, see `arrays.ArrayFormat`.
    probability_type
        "float32", or "uint8" (255 means 1).
    classes
        Whether the network has more than two classes.

    Raises ValueError for an unknown name, for an empty list, and for ``classes`` if the network has
    only two.
    """
    require_choice("probability_type", probability_type, PROBABILITY_TYPES)
    if names is None:
        names = ["instances", "probabilities", *(["classes"] if classes else [])]
    require_known(names)
    if not names:
        raise ValueError(f"outputs=[] writes nothing. Give some of {', '.join(OUTPUTS)}.")
    if "classes" in names and not classes:
        raise ValueError(
            "outputs has classes, but the network has only two: background and foreground. "
            "Leave classes out."
        )
    array_format = ArrayFormat(kind)
    return [make(array_format, probability_type) for name, make in OUTPUTS.items() if name in names]

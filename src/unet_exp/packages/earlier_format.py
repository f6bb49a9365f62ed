"""Convert descriptions of format 0.4 to format 0.5, for networks for 2D images."""

from typing import Any

from unet_exp.packages.fields import Fields

AXES = {"b": "batch", "c": "channel", "z": "space", "y": "space", "x": "space", "t": "time"}
#: Modes of steps in 0.4: statistics of each image, or given values.
PER_SAMPLE, FIXED = "per_sample", "fixed"


def converted(fields: Fields) -> dict[str, Any]:
    """Return a description of version 0.4 as one of version 0.5.

    Raises PackageError if a field is missing or of another type.
    """
    inputs, outputs = fields.records("inputs"), fields.records("outputs")
    tests = fields.several("test_outputs", [])
    return {
        "name": fields.text("name"),
        "inputs": [
            {"axes": input_axes(one), "preprocessing": steps(one, "preprocessing")}
            for one in inputs
        ],
        "outputs": [
            {
                "axes": output_axes(one),
                "postprocessing": steps(one, "postprocessing"),
                "test_tensor": {"source": tests[0]} if tests else {},
            }
            for one in outputs
        ],
        "weights": fields.record("weights").value,
        "config": fields.record("config", {}).value,
    }


def input_axes(tensor: Fields) -> list[dict[str, Any]]:
    """Return the axes of an image; their sizes are fixed, or smallest sizes and steps."""
    letters, shape = tensor.text("axes"), tensor.value.get("shape")
    if isinstance(shape, list):
        return named(tensor, letters, shape)
    sizes = tensor.record("shape")
    least, steps = sizes.several("min"), sizes.several("step")
    return named(
        tensor,
        letters,
        [n if not s else {"min": n, "step": s} for n, s in zip(least, steps, strict=False)],
    )


def output_axes(tensor: Fields) -> list[dict[str, Any]]:
    """Return the axes of an output; their sizes are fixed, or those of the image plus an offset.

    In version 0.4, the offset is that of one end.
    """
    letters, shape = tensor.text("axes"), tensor.value.get("shape")
    if isinstance(shape, list):
        axes = named(tensor, letters, shape)
    else:
        sizes = tensor.record("shape")
        scales, offsets = sizes.several("scale"), sizes.reals("offset")
        for values in (scales, offsets):
            require_each(tensor, letters, values)
        found = [
            {"axis_id": letter, "offset": round(2 * offset)} if scale else round(2 * offset)
            for letter, scale, offset in zip(letters, scales, offsets, strict=True)
        ]
        axes = named(tensor, letters, found)
        for axis, scale in zip(axes, scales, strict=True):
            if axis["type"] == "space":
                axis["scale"] = scale
            elif axis["type"] == "channel" and isinstance(axis["size"], dict):
                axis["size"] = 1  # as many as the image has; only one is common
    halo = tensor.several("halo", [0] * len(axes))
    return [{**axis, "halo": pixels} for axis, pixels in zip(axes, halo, strict=False)]


def named(tensor: Fields, letters: str, sizes: list[Any]) -> list[dict[str, Any]]:
    """Return axes with their types and sizes."""
    require_each(tensor, letters, sizes)
    return [
        {"type": AXES.get(letter, "index"), "id": letter, "size": size}
        for letter, size in zip(letters, sizes, strict=True)
    ]


def require_each(tensor: Fields, letters: str, values: list[Any]) -> None:
    """Refuse another number of values than there are axes."""
    if len(letters) != len(values):
        raise tensor.refuses(
            f"axes={letters} and {len(values)} sizes", "Write a size for each of the axes."
        )


def steps(tensor: Fields, name: str) -> list[dict[str, Any]]:
    """Return steps of preprocessing or postprocessing under their names in version 0.5."""
    found = []
    for step in tensor.records(name, []):
        kind, arguments = step.text("name"), dict(step.record("kwargs", {}).value)
        mode = arguments.pop("mode", PER_SAMPLE)
        if kind == "zero_mean_unit_variance" and mode == FIXED:
            kind = "fixed_zero_mean_unit_variance"
        if isinstance(axes := arguments.get("axes"), str):
            arguments["axes"] = [AXES[a] if a in "bc" else a for a in axes if a in AXES]
        found.append({"id": kind, "kwargs": arguments})
    return found

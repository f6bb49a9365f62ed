"""A plus before an override is never needed, and never wrong, whichever the command."""

from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from unet_exp.configuration.checks import OverrideError
from unet_exp.configuration.groups import CHANGEABLE, is_group
from unet_exp.configuration.hints import groups, hint, own

#: Dictionaries of values with any names.
FREE = ("trainer.options", "hydra.sweeper.params")


def with_any_plus(words: Sequence[str], command: str) -> list[str]:
    """Write the overrides of a command so that Hydra takes each of them, with a plus or without.

    Hydra adds a key with a plus alone, and refuses a plus where the key is there. Which keys are
    there differs between the commands. Misspelt keys are found later, by the signatures.

    Raises
    ------
    OverrideError
        If an override names a part that training has fixed.

    >>> with_any_plus(["postprocessing.threshold=0.6", "+tta=dihedral", "-m"], "evaluate")
    ['++postprocessing.threshold=0.6', '++tta=dihedral', '-m']
    >>> with_any_plus(["+dataset=hela", "model.depth=5"], "train")
    ['dataset=hela', 'model.depth=5']
    >>> with_any_plus(["~metric.dice"], "evaluate")
    ['++metric.dice=null']
    """
    return [written(word, command) for word in words]


def written(word: str, command: str) -> str:
    """Return an override as Hydra takes it; anything else as it is."""
    typed, equals, value = word.partition("=")
    if command == "evaluate" and typed.startswith("~metric.") and not equals:
        # It stands in the checkpoint, from which it is taken away later.
        return f"++{typed[1:]}=null"
    if not equals or typed.startswith("-"):
        return word
    try:
        # The value may hold what only quotes make readable, such as the name of a file.
        override = OverridesParser.create().parse_override(f"{typed}=null")
    except HydraException:
        return word  # Hydra tells it better
    key, name = override.key_or_group, override.get_key_element().lstrip("+")
    root = key.partition(".")[0].partition("/")[0]
    if any(key == one or key.startswith(f"{one}.") for one in FREE):
        return f"++{name}={value}"
    if override.is_delete() or root in ("", "hydra"):
        return word
    if key in groups(command):
        return f"{name}={value}"
    if command != "train":
        if is_group(root) and (root not in CHANGEABLE or key == root):
            raise OverrideError(taken_from_checkpoint(key, value, command))
        if root in CHANGEABLE:
            return f"++{name}={value}"
        if root not in own(command):
            return f"{name}={value}"  # it would be added for nothing
    return f"++{name}={value}" if override.is_add() or override.is_force_add() else word


def taken_from_checkpoint(key: str, value: str, command: str) -> str:
    """Say that a command takes a part from the checkpoint, and what it lets be changed."""
    if key.partition(".")[0] not in (*CHANGEABLE, "model", "loss"):
        return f"There is no {key}. {hint(key, value, command)}"
    if key in CHANGEABLE:
        return (
            f"{command}.py takes {key} from the checkpoint, and no other option of it. Single "
            f"values can be changed: {key}.NAME=VALUE."
        )
    part, some = key.partition(".")[0], ", ".join(CHANGEABLE)
    return f"{part} was fixed in training, so it cannot be changed now. What can be: {some}."

"""Parse a command line once, with Hydra's own parser, into a `CommandLine` of `Override` objects.

Overrides that a person types get the quotes and the plus signs that Hydra needs. Overrides in a
record were written by :meth:`CommandLine.words`, and are parsed unchanged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, RangeSweep
from hydra.core.override_parser.types import Override as Parsed
from hydra.errors import HydraException, OverrideParseException

from unet_exp.configuration.groups import CHANGEABLE, is_group
from unet_exp.configuration.hints import OverrideError, fixed_by_checkpoint, groups, own
from unet_exp.configuration.quoting import in_quotes, quoted
from unet_exp.configuration.tree import is_under

#: Flags of Hydra for several jobs, for the help, and for the configuration.
MULTIRUN, HELP, CFG = ("-m", "--multirun"), ("-h", "--help"), ("-c", "--cfg")
#: Overrides that determine how a sweep runs, and not what its jobs train.
OF_SWEEP = ("sweep.resume", "sweep.warm_start", "hydra")
#: Short forms for a value in a dictionary: ``init_from=a.ckpt`` gives ``init_from.path``.
SHORT = {"init_from": "init_from.path"}
#: Dictionaries whose keys a person chooses.
FREE = (
    "trainer.options", "hydra.sweeper.params", "hydra.sweeper.sampler", "hydra.sweeper.pruner",
)  # fmt: skip


@dataclass(frozen=True)
class Override:
    """One override, ``key=value``."""

    text: str
    """The override as Hydra reads it."""
    parsed: Parsed = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> "Override":
        """Parse an override that Hydra can read.

        Raises OverrideParseException if Hydra cannot read it.
        """
        parsed = OverridesParser.create().parse_overrides([text])[0]
        if not parsed.key_or_group:
            raise OverrideParseException(text, "An override needs a key.")
        return cls(text, parsed)

    @classmethod
    def of(cls, key: str, text: str) -> "Override":
        """Return the override that gives a key a text, such as the path of a folder.

        >>> Override.of("hydra.run.dir", "a, b").text
        'hydra.run.dir="a, b"'
        """
        return cls.parse(f"{key}={in_quotes(text)}")

    @property
    def key(self) -> str:
        """The dotted key, or the group whose option it chooses, without plus signs.

        >>> Override.parse("++model.depth=3").key, Override.parse("+dataset@a.b=hela").key
        ('model.depth', 'dataset')
        """
        return self.parsed.key_or_group

    @property
    def value(self) -> Any:
        """The value without quotes; None for an override that deletes its key."""
        return None if self.parsed.is_delete() else self.parsed.value()

    @property
    def values(self) -> list[Any]:
        """All values that the override names; None for a range or an interval of numbers.

        >>> Override.parse("a=1,'x y'").values, Override.parse("a=range(9)").values
        ([1, 'x y'], [None])
        """
        value = self.value
        if isinstance(value, ChoiceSweep):
            texts = self.parsed.sweep_string_iterator()
            return [Override.parse(f"a={text}").value for text in texts]
        return [None] if isinstance(value, RangeSweep | IntervalSweep) else [value]

    @property
    def is_of_record(self) -> bool:
        """Whether it determines how or where a command runs, and not what is trained."""
        return self.parsed.is_hydra_override() or self.key in ("resume", *OF_SWEEP)


@dataclass(frozen=True)
class CommandLine:
    """The words of a command: flags of Hydra with their values, and overrides."""

    flags: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()

    @classmethod
    def read(cls, words: Sequence[str], command: str) -> "CommandLine":
        """Read the words that a person typed, with any paths and names, with or without plus signs.

        Raises OverrideError if an override names a part that training has fixed, and
        OverrideParseException if Hydra cannot read one.

        >>> line = CommandLine.read(["output=a, b", "+tta=dihedral", "-m"], "predict")
        >>> line.words()
        ['-m', 'output="a, b"', '++tta=dihedral']
        """
        line = cls(tuple(word for word in words if not is_override(word)))
        typed = [(parse_key(word), word) for word in words if is_override(word)]
        sweep = line.asks(MULTIRUN) or any(
            starts_sweep(key.key_or_group, word.partition("=")[2]) for key, word in typed
        )
        texts = (as_hydra_reads(key, word, command, sweep) for key, word in typed)
        return cls(line.flags, tuple(map(Override.parse, texts)))

    @classmethod
    def recorded(cls, words: Sequence[str]) -> "CommandLine":
        """Parse words that :meth:`words` returned."""
        return cls(
            tuple(word for word in words if not is_override(word)),
            tuple(Override.parse(word) for word in words if is_override(word)),
        )

    def words(self) -> list[str]:
        """Return the command line in the form that Hydra reads, with the flags first."""
        return [*self.flags, *self.texts()]

    def texts(self) -> list[str]:
        """Return the overrides in the form that Hydra reads."""
        return [override.text for override in self.overrides]

    def value(self, key: str) -> Any:
        """Return the value that the last override of a key gives; None if there is none."""
        return next((one.value for one in reversed(self.overrides) if one.key == key), None)

    def asks(self, flags: Sequence[str]) -> bool:
        """Tell whether one of the flags is given, such as ``--cfg job`` or ``--cfg=job``."""
        return any(flag.partition("=")[0] in flags for flag in self.flags)

    def adding(self, *overrides: Override) -> "CommandLine":
        """Return this command line with more overrides."""
        return CommandLine(self.flags, (*self.overrides, *overrides))

    @property
    def is_sweep(self) -> bool:
        """Whether it starts several jobs: by a flag, or by a preset of ``conf/sweep/``.

        >>> read = lambda *words: CommandLine.read(words, "train").is_sweep
        >>> read("seed=0,1", "-m"), read("sweep=folds"), read("seed=0")
        (True, True, False)
        """
        return self.asks(MULTIRUN) or any(
            starts_sweep(one.key, one.value) for one in self.overrides
        )


def is_override(word: str) -> bool:
    """Tell an override from a flag, or from the value of one."""
    return not word.startswith("-") and ("=" in word or word.startswith("~"))


def starts_sweep(key: str, value: object) -> bool:
    """Tell whether an override starts a sweep."""
    return (key == "sweep" and value not in (None, "", "null")) or (
        key == "hydra.mode" and value == "MULTIRUN"
    )


def parse_key(word: str) -> Parsed:
    """Parse only the text before the equals sign; the value may need quotes."""
    typed = word.partition("=")[0]
    return Override.parse(typed if typed.startswith("~") else f"{typed}=null").parsed


def as_hydra_reads(key: Parsed, word: str, command: str, sweep: bool) -> str:
    """Return an override with the quotes and the plus signs that Hydra needs."""
    _, equals, value = word.partition("=")
    name = key.get_key_element().lstrip("+")
    if name in SHORT and equals and not value.startswith("{"):
        name = SHORT[name]
        key = parse_key(f"{name}=")
    if not equals and command == "evaluate" and name.startswith("~metric."):
        # The metric comes from the checkpoint. It is removed after the checkpoint has been read.
        return f"++{name[1:]}=null"
    if not equals:
        return word
    plus = plus_signs(key, value, command)
    if not key.is_delete():
        value = quoted(key.key_or_group, value, sweep)
    return f"{plus}{name}={value}"


def plus_signs(parsed: Parsed, value: str, command: str) -> str:
    """Return the plus signs that an override needs in a command.

    Hydra needs a plus to add a key, and refuses a plus if the key exists. The commands have
    different keys, so a person may write a plus anywhere or leave it out. Misspelt keys are found
    later, with the signatures.
    """
    key = parsed.key_or_group
    typed = "++" if parsed.is_add() or parsed.is_force_add() else ""
    root = key.partition(".")[0].partition("/")[0]
    if parsed.is_delete() or key in groups(command) or key.startswith("hydra/"):
        return ""
    if is_under(key, FREE):
        return "++"
    if root == "hydra":
        return typed
    if command != "train":
        if is_group(root) and (root not in CHANGEABLE or key == root):
            raise OverrideError(fixed_by_checkpoint(key, value, command))
        if root in CHANGEABLE:
            return "++"
        if root not in own(command):
            return ""  # with a plus, the key would be added and have no effect
    return typed


@lru_cache(4096)
def key_of(text: str) -> str:
    """Return the key of an override; the text itself if Hydra cannot read it.

    >>> key_of("++model.depth=3"), key_of("--config-dir=a")
    ('model.depth', '--config-dir=a')
    """
    try:
        return Override.parse(text).key
    except (HydraException, RecursionError):
        return text

"""Options in a folder of the user, which ``--config-dir`` or ``hydra.searchpath`` names.

Such a folder has the layout of ``conf/``. The signature of the class that an option names is its
schema, as for the project's options. Therefore, the file begins with
``defaults: [/schema/<group>/<option>@_here_]``.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unet_exp.configuration import schema
from unet_exp.configuration.groups import GROUPS, options
from unet_exp.configuration.hints import OverrideError
from unet_exp.configuration.overrides import CommandLine
from unet_exp.configuration.quoting import in_quotes

#: Flags of Hydra that name another folder of options.
FLAGS = ("--config-dir", "-cd")
#: Groups whose options name no class.
VALUES_ONLY = ("experiment", "sweep")
#: Prefix of a search path within a package.
PACKAGED = "pkg://"


def find_own_options(line: CommandLine) -> None:
    """Store the schemas of the user's options. Their classes may be in the current folder.

    Modules in the current folder can be imported only if the command names code: with a folder of
    options, a ``_target_``, or ``trust``. Otherwise the folder may hold images from a stranger.

    Raises OverrideError if an option cannot be read, if it has the name of a project's option,
    because Hydra would use that one, or if its class cannot be imported.
    """
    named = folders(line)
    trusts = any(
        "_target_" in one.text or (one.key == "trust" and one.value) for one in line.overrides
    )
    if named or trusts:
        import_from_here()
    for folder in named:
        for group in (*GROUPS, *VALUES_ONLY):
            for path in sorted((folder / group).glob("*.yaml")):
                stated = read(path)
                if group in GROUPS:
                    store(group, path, stated)


def import_from_here() -> None:
    """Allow imports of modules in the current folder, after all other places."""
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)


def folders(line: CommandLine) -> list[Path]:
    """Return the folders of options that a command line names.

    >>> folders(CommandLine.read(["--config-dir", "conf", "-m"], "train")) == [Path("conf")]
    True
    >>> folders(CommandLine.read(["hydra.searchpath=[file://a/conf]"], "train")) == [Path("a/conf")]
    True
    """
    found = [
        following if flag in FLAGS else flag.partition("=")[2]
        for flag, following in zip(line.flags, [*line.flags[1:], ""], strict=False)
        if flag.partition("=")[0] in FLAGS
    ]
    more = line.value("hydra.searchpath")
    texts = [str(one) for one in more] if isinstance(more, list) else []
    if empty := [text for text in texts if text in ("", "file://", PACKAGED)]:
        raise OverrideError(
            f"hydra.searchpath=[{empty[0]}] names no folder. Give file://FOLDER, or "
            "pkg://PACKAGE.FOLDER for a folder in a package."
        )
    found += [text.removeprefix("file://") for text in texts if not text.startswith(PACKAGED)]
    in_packages = [folder for text in texts for folder in of_package(text)]
    return [*(Path(one).expanduser() for one in found if one), *in_packages]


def of_package(text: str) -> list[Path]:
    """Return the folders of ``pkg://my_lab.conf`` without importing it; none of other texts."""
    name = text.removeprefix(PACKAGED) if text.startswith(PACKAGED) else ""
    top, *rest = name.replace("/", ".").split(".")
    try:
        spec = find_spec(top) if top else None
    except ValueError:  # of a program that runs, such as __main__
        spec = None
    roots = (spec.submodule_search_locations or ()) if spec else ()
    return [Path(root).joinpath(*rest) for root in roots]


def search_path(line: CommandLine) -> list[str]:
    """Return an override that names the folders of a command line, for ``hydra.compose``.

    >>> search_path(CommandLine.read(["--config-dir=/my/conf"], "train"))
    ['hydra.searchpath=["file:///my/conf"]']
    """
    found = [in_quotes(f"file://{folder.absolute()}") for folder in folders(line)]
    return [f"hydra.searchpath=[{','.join(found)}]"] if found else []


def one_line(error: BaseException) -> str:
    """Return the first 300 characters of an error's message."""
    return " ".join(str(error).split())[:300]


def read(path: Path) -> Any:
    """Return the content of an option.

    Raises OverrideError that names the file if it is no YAML file of values.
    """
    try:
        return OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except (yaml.YAMLError, OmegaConfBaseException, OSError, RecursionError, UnicodeError) as error:
        raise OverrideError(
            f"{path} cannot be read as an option ({one_line(error)}). Write lines NAME: VALUE, as "
            "in the options of conf/."
        ) from error


def store(group: str, path: Path, stated: Any) -> None:
    """Store the schema of an option, if it names a class."""
    if path.stem in options(group):
        raise OverrideError(
            f"{path} has the name of an option of unet_exp, which would be taken in its place. "
            f"Rename it: {group}=my_{path.stem}."
        )
    target = stated.get("_target_") if isinstance(stated, dict) else None
    if not isinstance(target, str):
        return
    try:
        node = schema.schema(target, stated)
    except Exception as error:  # the module may raise anything while it is imported
        why = one_line(error.__cause__ or error)
        raise OverrideError(
            f"{path}: _target_={target} cannot be imported ({why}). Give the dotted path of a "
            "class. Start the command in the folder of its package, or add that to PYTHONPATH."
        ) from error
    ConfigStore.instance().store(name=path.stem, group=f"schema/{group}", node=node)

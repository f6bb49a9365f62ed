"""Options in a folder of a user's own, which ``--config-dir`` or ``hydra.searchpath`` name.

Such a folder is laid out as ``conf/``. The signature of each class that an option there names is
its schema, as for the project's options: its file begins with
``defaults: [/schema/<group>/<option>@_here_]``.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from unet_exp.configuration import schema
from unet_exp.configuration.groups import GROUPS, options
from unet_exp.configuration.hints import OverrideError
from unet_exp.configuration.overrides import CommandLine
from unet_exp.configuration.quoting import in_quotes

#: Flags of Hydra's that name a further folder of options.
FLAGS = ("--config-dir", "-cd")
#: The beginning of a search path within a package.
PACKAGED = "pkg://"


def find_own_options(line: CommandLine) -> None:
    """Store the schemas of a user's own options, whose classes may lie in the current folder.

    That folder can be imported from only if the command names code: by such a folder of options, by
    a ``_target_``, or by ``trust``. Otherwise it may be a folder of images from anybody.

    Raises OverrideError if an option has the name of one of the project's, which Hydra would take,
    or names a class that cannot be imported.
    """
    named = folders(line)
    trusts = any(
        "_target_" in one.text or (one.key == "trust" and one.value) for one in line.overrides
    )
    if named or trusts:
        import_from_here()
    for folder in named:
        for group in GROUPS:
            for path in sorted((folder / group).glob("*.yaml")):
                store(group, path)


def import_from_here() -> None:
    """Let modules in the current folder be imported; they hide no other module."""
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
    found += [text.removeprefix("file://") for text in texts if not text.startswith(PACKAGED)]
    in_packages = [
        folder
        for text in texts
        if text.startswith(PACKAGED)
        for folder in of_package(text.removeprefix(PACKAGED))
    ]
    return [*(Path(one).expanduser() for one in found if one), *in_packages]


def of_package(name: str) -> list[Path]:
    """Return the folders of a package, such as ``my_lab.conf``, without importing it."""
    top, *rest = name.replace("/", ".").split(".")
    spec = find_spec(top)
    roots = (spec.submodule_search_locations or ()) if spec else ()
    return [Path(root).joinpath(*rest) for root in roots]


def search_path(line: CommandLine) -> list[str]:
    """Return an override that names the folders of a command line, for ``hydra.compose``.

    >>> search_path(CommandLine.read(["--config-dir=/my/conf"], "train"))
    ['hydra.searchpath=["file:///my/conf"]']
    """
    found = [in_quotes(f"file://{folder.absolute()}") for folder in folders(line)]
    return [f"hydra.searchpath=[{','.join(found)}]"] if found else []


def store(group: str, path: Path) -> None:
    """Store the schema of an option, if it names a class."""
    if path.stem in options(group):
        raise OverrideError(
            f"{path} has the name of an option of unet_exp, which would be taken in its place. "
            f"Rename it: {group}=my_{path.stem}."
        )
    stated: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    target = stated.get("_target_") if isinstance(stated, dict) else None
    if not isinstance(target, str):
        return
    try:
        node = schema.schema(target, stated)
    except Exception as error:  # the module may raise anything while it is imported
        why = " ".join(str(error.__cause__ or error).split())
        raise OverrideError(
            f"{path}: _target_={target} cannot be imported ({why}). Give the dotted path of a "
            "class. Start the command in the folder of its package, or add that to PYTHONPATH."
        ) from error
    ConfigStore.instance().store(name=path.stem, group=f"schema/{group}", node=node)

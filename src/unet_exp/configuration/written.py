"""Values and types as people write and read them."""

import types
import typing
from typing import Any

#: Types in plain words.
KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    tuple: "a list",
    dict: "keys with values",
}


def kind_of(annotation: Any) -> str:
    """Describe the values that an annotation allows; return an empty text if it allows any.

    >>> kind_of(int), kind_of(float | None), kind_of(list[int] | None)
    ('a whole number', 'a number or null', 'a list or null')
    """
    if annotation is types.NoneType:
        return "null"
    origin = typing.get_origin(annotation)
    if origin in (types.UnionType, typing.Union):
        kinds = [kind_of(one) for one in typing.get_args(annotation)]
        kinds = [one for one in kinds if one != "null"] + ["null"] * ("null" in kinds)
        return "" if "" in kinds else " or ".join(dict.fromkeys(kinds))
    return KINDS.get(origin or annotation, "")


def typed(value: Any) -> str:
    """Return a value as in an override; an empty text for a required value.

    >>> typed(None), typed(True), typed([1, 2.5]), typed({"a": 1}), typed("???")
    ('null', 'true', '[1,2.5]', '{a: 1}', '')
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list() | tuple():
            return f"[{','.join(map(typed, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {typed(one)}' for key, one in value.items())}}}"
        case "???":
            return ""
        case "":
            return '""'
    return str(value)

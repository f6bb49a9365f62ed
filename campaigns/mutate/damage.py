"""Damage to bytes, texts and plain data, drawn at random."""

import copy
import struct
from collections.abc import Callable
from random import Random
from typing import Any

#: Numbers at which programs fail.
NUMBERS = (
    0, 1, -1, 2, 7, 127, 128, 255, 256, 32767, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**40,
    2**63, 10**30, -(2**31),
)  # fmt: skip
#: Values that a record may hold instead of the one that is expected.
VALUES: tuple[Any, ...] = (
    None, True, False, "", "a", "../..", "/etc/passwd", "~", "\x1b[31m", "\u202e", "a\nb", "\udcff",
    "1e999", "nan", "${oc.env:HOME}", "<script>", "=1+1", "x" * 5000, 1.5, -0.0, 1e308,
    float("nan"), float("inf"), [], {}, [[]], [None], {"": None}, [1, "a", {}],
    {"_target_": "os.system"}, *NUMBERS,
)  # fmt: skip


def damaged(data: bytes, rng: Random) -> bytes:
    """The bytes after one to four kinds of damage."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(KINDS)(data, rng)
    return data


def place(data: bytes | bytearray, rng: Random) -> int:
    """A place in the bytes: often in the first ones, which are the header."""
    end = len(data) if rng.random() < 0.5 else min(len(data), rng.choice((16, 64, 256, 1024)))
    return rng.randrange(end) if end else 0


def flip(data: bytes, rng: Random) -> bytes:
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if content:
            content[place(content, rng)] ^= 1 << rng.randrange(8)
    return bytes(content)


def cut(data: bytes, rng: Random) -> bytes:
    return data[: place(data, rng)]


def cut_out(data: bytes, rng: Random) -> bytes:
    start = place(data, rng)
    return data[:start] + data[start + rng.choice((1, 2, 4, 16, 200)) :]


def repeat(data: bytes, rng: Random) -> bytes:
    start, length = place(data, rng), rng.choice((1, 4, 12, 64, 500))
    return (
        data[: start + length]
        + data[start : start + length] * rng.choice((1, 2, 50))
        + data[start + length :]
    )


def overwrite(data: bytes, rng: Random) -> bytes:
    """Write a number of two, four or eight bytes over a place."""
    letter, size = rng.choice((("H", 2), ("I", 4), ("Q", 8)))
    number = rng.choice(NUMBERS) % 2 ** (8 * size)
    start = place(data, rng)
    return data[:start] + struct.pack(rng.choice("<>") + letter, number) + data[start + size :]


def swap(data: bytes, rng: Random) -> bytes:
    start, length = place(data, rng), rng.choice((1, 4, 12, 64))
    middle, end = start + length, start + 2 * length
    return data[:start] + data[middle:end] + data[start:middle] + data[end:]


def clear(data: bytes, rng: Random) -> bytes:
    start, length = place(data, rng), rng.choice((1, 8, 100, 4096))
    end = min(len(data), start + length)
    return data[:start] + bytes([rng.choice((0, 255))]) * (end - start) + data[end:]


def add(data: bytes, rng: Random) -> bytes:
    return data + rng.randbytes(rng.choice((1, 16, 1000)))


KINDS: tuple[Callable[[bytes, Random], bytes], ...] = (
    flip, flip, cut, cut_out, repeat, overwrite, overwrite, swap, clear, add,
)  # fmt: skip


def rewritten(data: Any, rng: Random) -> Any:
    """Plain data with one to three of its values replaced, removed, renamed or put elsewhere."""
    data = copy.deepcopy(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(holders(data))
        if not places:
            return rng.choice(VALUES)
        holder = rng.choice(places)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = rng.choice(keys)
        kind = rng.random()
        if kind < 0.6:
            holder[key] = odd(holder[key], rng)
        elif kind < 0.75:
            del holder[key]
        elif kind < 0.85:
            other = rng.choice(places)
            holder[key] = copy.deepcopy(other)
        elif isinstance(holder, dict):
            holder[str(odd(key, rng))] = holder.pop(key)
        else:
            holder.insert(key, odd(holder[key], rng))
    return data


def odd(value: Any, rng: Random) -> Any:
    """A value in the place of another one: often a near one."""
    if isinstance(value, str) and rng.random() < 0.4:
        return text_damaged(value, rng)
    if isinstance(value, int) and rng.random() < 0.5:
        return rng.choice((value + 1, value - 1, -value, value * 1000, float(value), str(value)))
    if rng.random() < 0.05:
        deep: Any = []
        for _ in range(rng.choice((20, 60, 120))):
            deep = [deep] if rng.random() < 0.5 else {"a": deep}
        return deep
    return copy.deepcopy(rng.choice(VALUES))


def holders(data: Any) -> list[Any]:
    """The dictionaries and lists in plain data that are not empty."""
    found, waiting = [], [data]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list) and one:
            found.append(one)
            waiting += list(one.values()) if isinstance(one, dict) else one
    return found


def text_damaged(text: str, rng: Random) -> str:
    """A text with a part removed, repeated, replaced or put in."""
    start = rng.randrange(len(text) + 1)
    end = min(len(text), start + rng.choice((1, 1, 2, 8)))
    kind = rng.random()
    if kind < 0.25:
        return text[:start] + text[end:]
    if kind < 0.4:
        return text[:end] + text[start:]
    if kind < 0.6:
        return text[:start] + str(rng.choice(NUMBERS)) + text[end:]
    return text[:start] + rng.choice(MARKS) + text[end if rng.random() < 0.5 else start :]


#: Characters that mean something to a parser.
MARKS = (
    "=", ",", ":", "[", "]", "{", "}", "(", ")", "'", '"', "\\", "$", "${", "}", "~", "+", "-", ".",
    "..", "/", "*", "?", "!", "&", "#", "%", "@", "|", ">", "<", " ", "\t", "\n", "\0", "\x1b",
    "é", "你", "🙂", "\u202e", "null", "true", "nan", "-m", "--", "choice(", "range(1,3)",
    "glob(*)", "- ", "a: ", "<!DOCTYPE", "&amp;", "\ufeff",
)  # fmt: skip

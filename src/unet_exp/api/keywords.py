"""Explain a keyword argument that a function does not have, and suggest a similar one."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

from unet_exp.ranges import did_you_mean

P = ParamSpec("P")
Result = TypeVar("Result")


def explain_keywords(function: Callable[P, Result]) -> Callable[P, Result]:
    """Return a function whose TypeError for an unknown keyword suggests a similar one.

    >>> @explain_keywords
    ... def train(*, max_steps: int) -> int:
    ...     return max_steps
    >>> train(max_step=3)
    Traceback (most recent call last):
    TypeError: train() has no argument max_step. Did you mean max_steps? Options of the commands ...
    """
    known = list(signature(function).parameters)

    @wraps(function)
    def explained(*given: P.args, **named: P.kwargs) -> Result:
        for name in named:
            if name not in known:
                raise TypeError(
                    f"{function.__name__}() has no argument {name}.{did_you_mean(name, known)} "
                    f'Options of the commands are texts: {function.__name__}(..., "{name}=VALUE").'
                )
        return function(*given, **named)

    return explained

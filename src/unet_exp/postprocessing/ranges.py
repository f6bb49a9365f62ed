"""Which values the parameters of postprocessing may take."""


def require_probability(name: str, value: float) -> None:
    """Refuse a threshold that no probability can be compared with.

    >>> require_probability("threshold", 50)
    Traceback (most recent call last):
    ValueError: threshold=50 is no probability. Choose a number from 0 to 1.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{name}={value} is no probability. Choose a number from 0 to 1.")


def require_not_negative(**values: float) -> None:
    """Refuse a size or a distance below 0.

    >>> require_not_negative(min_size=3, grow=-1)
    Traceback (most recent call last):
    ValueError: grow=-1 is negative. Choose 0, which does nothing, or more.
    """
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name}={value} is negative. Choose 0, which does nothing, or more.")


def require_connectivity(connectivity: int) -> None:
    """Refuse a connectivity that a plane does not have."""
    if connectivity not in (1, 2):
        raise ValueError(
            f"connectivity={connectivity} is neither 1 (pixels that share a side) nor 2 (or a "
            f"corner). Choose one of them."
        )

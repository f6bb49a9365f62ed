"""Format values of settings as a person writes them."""

from unet_exp.numbers import parse_number


def tidy(text: str | None) -> str | None:
    """Round a number to at most four digits; short numbers and other texts do not change.

    >>> tidy("0.00012345678"), tidy("1e-4"), tidy("0.0001"), tidy("0.31415926"), tidy("0.9995")
    ('1.235e-4', '1.0e-4', '1.0e-4', '0.3142', '0.9995')
    >>> tidy("12345678"), tidy("3"), tidy("paper"), tidy("1234567.5"), tidy(None)
    ('12345678', '3', 'paper', '1.235e6', None)
    """
    value = None if text is None else parse_number(text)
    if text is None or value is None or isinstance(value, int):
        return text
    if value and (abs(value) < 1e-3 or abs(value) >= 1e6):
        digits, _, power = f"{value:.3e}".partition("e")
        whole, _, part = digits.partition(".")
        return f"{whole}.{part.rstrip('0') or '0'}e{int(power)}"
    return text if len(text) <= 6 else f"{value:.4g}"

"""Import the packages that read the formats of microscopes: the extra ``formats``."""

import importlib
from typing import Any

from unet_exp.images.errors import RefusedError


def reader(package: str, kind: str) -> Any:
    """Import the package that reads a kind of files.

    >>> reader("no_such_package", "CZI")
    Traceback (most recent call last):
    unet_exp.images.errors.RefusedError: CZI files need the package no_such_package: pip install ...
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise RefusedError(
            f"{kind} files need the package {package.partition('.')[0]}: "
            "pip install 'unet-exp[formats]', or save the image as OME-TIFF"
        ) from error

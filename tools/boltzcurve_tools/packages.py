"""Packages that only some commands need: asked for by name where they are used, so that everything else works without them."""
from __future__ import annotations

import importlib
from types import ModuleType

from .errors import UsageError


def require(module: str, what_for: str, install: str | None = None) -> ModuleType:
    """The module, or a UsageError that says what needs it and how to install it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(f"{what_for} needs the Python package {error.name}: pip install {install or error.name}") from error

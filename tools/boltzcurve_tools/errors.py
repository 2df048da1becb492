"""The errors that end a command, with the exit codes of the program: 2 for usage, 3 for files."""
from __future__ import annotations

DONE, USAGE, FILES = 0, 2, 3


class ToolError(Exception):
    """Ends a command with a message for its user."""

    code = 1


class UsageError(ToolError):
    """A wrong command line, or a Python package that is not installed."""

    code = USAGE


class InputError(ToolError):
    """A file is missing, or is not what it should be, or cannot be written."""

    code = FILES


class TooFewRows(InputError):
    """Nothing is wrong with a run that is too short for a picture: others can still be drawn."""

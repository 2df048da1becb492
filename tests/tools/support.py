"""What the tests of the tools share: where the small runs are, copies of them to spoil, and the tools as a user calls them."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

RUNS = pathlib.Path(os.environ["BOLTZCURVE_RUNS"])
PROGRAM = os.environ["BOLTZCURVE_PROGRAM"]
SOURCE = pathlib.Path(__file__).resolve().parents[2]
EVERY_RUN = ("plane", "space", "four", "without_frames")


def tools(*arguments, **environment):
    """The outcome of `boltzcurve-tools ...` in a process of its own, where numbers must not overflow or become NaN unnoticed."""
    return subprocess.run([sys.executable, "-W", "error::RuntimeWarning", "-m", "boltzcurve_tools", *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, **environment})


def succeeds(*arguments):
    result = tools(*arguments)
    assert result.returncode == 0, f"{arguments}: exit code {result.returncode}: {result.stderr}"
    return result


def refuses(code, *arguments, says=()):
    result = tools(*arguments)
    assert result.returncode == code, f"{arguments}: expected exit code {code}, found {result.returncode}: {result.stderr}"
    assert "Traceback" not in result.stderr, result.stderr
    for words in says:
        assert words in result.stderr, f"expected '{words}' in: {result.stderr}"
    return result


@pytest.fixture
def spoiled(tmp_path):
    """Makes a copy of a run that a test may spoil."""
    return lambda name: pathlib.Path(shutil.copytree(RUNS / name, tmp_path / name))

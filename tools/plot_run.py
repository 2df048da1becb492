#!/usr/bin/env python3
"""Draws one picture of a run: its samples over the target, training, trajectories, weights and metrics.

    tools/plot_run.py DIR [--output FILE.png]

DIR is the --output folder of `boltzcurve run`; it must hold samples.h5md, metrics.h5 and evaluation.json. Needs h5py, numpy and matplotlib.
The same as `tools/boltzcurve-tools plot DIR`. Exit codes: 0 done, 2 wrong usage or a Python package is missing, 3 a file is missing or not
what it should be.
"""
import argparse
import pathlib
import sys

import plotting  # noqa: F401  first: starts again with the system's Python where this one lacks a package
from boltzcurve_tools import ToolError, read_run
from boltzcurve_tools.draw.overview import draw_overview


def main():
    parser = argparse.ArgumentParser(prog="plot_run.py", description=__doc__.split("\n")[0])
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path, help="the --output folder of a run")
    parser.add_argument("--output", metavar="FILE.png", type=pathlib.Path, help="where the picture goes (default: DIR/run.png)")
    options = parser.parse_args()
    file = options.output or options.folder / "run.png"
    try:
        draw_overview(read_run(options.folder), file)
    except ToolError as error:
        print(f"plot_run.py: {error}", file=sys.stderr)
        return error.code
    print(f"picture: {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

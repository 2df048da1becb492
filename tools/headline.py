#!/usr/bin/env python3
"""One table and one figure of a folder of runs: what each configuration reached, over its seeds.

    tools/headline.py DIR

DIR holds CONFIGURATION/seedK as jobs/paper/headline.sh leaves them, log.txt among it. Writes DIR/headline.md (also printed): median over the seeds, the worst
one in brackets; and DIR/headline.png: ESS and NLL against wall time of training, with the entropy of the target (no NLL can stay below it
but by chance) and the level of the paper (arXiv 2410.03282, gradient flow). Exit codes: 0 done, 2 wrong usage or a package is missing,
3 nothing to read.
"""
import pathlib
import sys

import plotting  # noqa: F401  first: starts again with the system's Python where this one lacks a package
from boltzcurve_tools import ToolError
from boltzcurve_tools.headline import headline


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr if len(sys.argv) != 2 else sys.stdout)
        return 0 if sys.argv[1:] in (["--help"], ["-h"]) else 2
    try:
        print(headline(pathlib.Path(sys.argv[1])))
    except ToolError as error:
        print(f"headline.py: {error}", file=sys.stderr)
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main())

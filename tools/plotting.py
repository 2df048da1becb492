"""The packages that the scripts beside this one draw with; imported by them, and by tests, before anything else of theirs needs a package.

Where they are missing, the script that was called starts again with the system's Python, and ends with exit code 2 if that has none either.
"""
import os
import pathlib
import sys

try:
    import h5py
    import numpy as np
    import matplotlib
except ModuleNotFoundError as error:
    # The first python3 on the path may be one without the packages, while Debian's own has them.
    system_python = "/usr/bin/python3"
    if os.access(system_python, os.X_OK) and sys.executable != system_python:
        os.execv(system_python, [system_python, *sys.argv])
    print(f"{pathlib.Path(sys.argv[0]).name}: {sys.executable} has no {error.name}; needed are h5py, numpy and matplotlib. Debian, Ubuntu: "
          "tools/install_dependencies.sh; elsewhere: pip install h5py numpy matplotlib", file=sys.stderr)
    sys.exit(2)
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  after the choice of a backend without a screen

__all__ = ["h5py", "np", "plt"]

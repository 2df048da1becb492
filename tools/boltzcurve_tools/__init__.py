"""Looks at what boltzcurve wrote: reads runs, draws, reports, compares, exports and checks them.

    from boltzcurve_tools import read_run
    run = read_run("runs/three_modes")
    run.metrics["ess"], run.samples.position.shape, run.training["loss"]

On the command line: boltzcurve-tools, or python -m boltzcurve_tools.
"""
from .errors import InputError, ToolError, UsageError
from .runs import Run, Samples, Trajectory, read_run

__version__ = "0.1.0"
__all__ = ["InputError", "Run", "Samples", "ToolError", "Trajectory", "UsageError", "read_run", "__version__"]

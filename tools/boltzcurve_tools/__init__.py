"""Looks at what boltzcurve wrote: reads runs, draws, reports, compares, exports and checks them.

    from boltzcurve_tools import read_run
    run = read_run("runs/three_modes")
    run.metrics["ess"], run.samples.position.shape, run.training["loss"]

and draws from a log density written in Python:

    from boltzcurve_tools import sample
    draws = sample(log_density, dimension=3)

On the command line: boltzcurve-tools, or python -m boltzcurve_tools.
"""
from .errors import InputError, ToolError, UsageError
from .runs import Run, Samples, Trajectory, read_run
from .sampling import Draws, sample

__version__ = "0.1.0"
__all__ = ["Draws", "InputError", "Run", "Samples", "ToolError", "Trajectory", "UsageError", "read_run", "sample", "__version__"]

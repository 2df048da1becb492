"""Samples a log density written in Python, from a notebook or script: runs the program and returns weighted draws."""
from __future__ import annotations

import dataclasses
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import tempfile
import types
from typing import Any, Callable, Mapping, Sequence

import numpy as np

from .errors import ToolError, UsageError
from .export import arviz_groups, resampled
from .packages import require
from .runs import Run, Samples, read_run
from .target import FRAMEWORKS

MODEL = """# Made by boltzcurve_tools.sample.
import pickle
import sys

sys.path[:0] = {path!r}
with open({file!r}, "rb") as stored:
    {name} = pickle.load(stored)
"""


@dataclasses.dataclass(frozen=True)
class Draws:
    """What a run has drawn. Particles that failed are among them, with weight 0."""

    draws: np.ndarray           # [N][D]
    log_weights: np.ndarray     # [N], log w = log density - log q [nats]; minus infinity for weight 0
    names: tuple[str, ...]      # [D], of the coordinates; x1, x2, ... where none were given
    log_z: float                # log of the integral of exp(log_density) [nats], by importance weights
    log_z_stderr: float         # NaN with fewer than ten effective draws
    ess: float                  # effective sample size over N
    diagnosis: tuple[str, ...]  # codes of what is wrong with the draws; empty where nothing shows
    diagnosis_text: str         # the same in words
    summary: dict[str, Any]     # of every coordinate, column -> values: parameter, mean, sd, mcse, q5, q50, q95, ess
    run: Run                    # all else that the run has left

    @property
    def samples(self) -> Samples:
        assert self.run.samples is not None
        return self.run.samples

    @property
    def weights(self) -> np.ndarray:
        """[N], importance weights that add up to 1."""
        return self.samples.weight

    def resample(self) -> np.ndarray:
        """[N][D], draws of equal weight: systematic resampling, the same every time. They repeat what has a large weight, and know no more
        than `ess` N independent ones."""
        return self.draws[resampled(self.samples)]

    def to_arviz(self) -> Any:
        """ArviZ's InferenceData: in `posterior` draws of equal weight, a variable per name, or `x` where none were given; in `sample_stats`
        the log weight that each had, its log density and which one it was. Needs the package arviz."""
        arviz = require("arviz", "InferenceData")
        groups = arviz_groups(self.samples, self.run.names)
        if hasattr(arviz, "InferenceData"):
            return arviz.InferenceData(**groups)
        return require("xarray", "InferenceData").DataTree.from_dict(groups)  # from ArviZ 1.0 on


def framework_of(function: Callable[..., Any]) -> str:
    """The framework that a function is written in: that of what it names, or of what made it."""
    code: types.CodeType | None = getattr(function, "__code__", None)
    named = [getattr(function, "__globals__", {}).get(name) for name in code.co_names] if code else [type(function), function]
    modules = {value.__name__ if isinstance(value, types.ModuleType) else str(getattr(value, "__module__", "")) for value in named}
    packages = {module.split(".")[0].removesuffix("lib") for module in modules}  # jaxlib makes what jax.jit returns
    return next((framework for framework, package in FRAMEWORKS.items() if package in packages), "numpy")


def pickled(function: Callable[..., Any]) -> bytes:
    """A function as another process can load it: by its module where that can be imported there, else by value."""
    name = getattr(function, "__qualname__", "")
    by_value = getattr(function, "__module__", "__main__") in (None, "__main__") or "<" in name
    pickler = require("cloudpickle", "sampling a function of a notebook or script") if by_value else pickle
    return pickler.dumps(function)


def sample(log_density: Callable[..., Any], dimension: int, *, particles: int = 10000, names: Sequence[str] | None = None, seed: int = 1,
           ranks: int = 1, framework: str | None = None, options: Mapping[str, object] | None = None, folder: str | os.PathLike[str] | None = None,
           program: str | os.PathLike[str] = "boltzcurve", launcher: Sequence[str] = ("mpirun",), quiet: bool = True) -> Draws:
    """Draws from exp(log_density) in `dimension` coordinates: learns a curve of densities to it, and follows that with `particles` particles.

    `log_density` is a function of one point [dimension], written in numpy, JAX or PyTorch, which returns a number; minus infinity where the
    density is zero. Or its name ends in `and_gradient`, and it returns log densities [n] and gradients [n][dimension] of points
    [n][dimension]. It is evaluated in processes of this Python, one beside each of `ranks` ranks; without JAX or PyTorch, and without a
    gradient of its own, gradients are differences.

    `names` are those of the coordinates; `options` further keys of the program, {"training.steps": 500}; `folder` keeps what the run
    leaves, which is otherwise removed. Raises ToolError with what the program, or the function, had to say.
    """
    found = shutil.which(program)
    if found is None:
        raise UsageError(f"there is no program {os.fspath(program)} on the path; say where it is: sample(..., program=\"/path/to/boltzcurve\")")
    name = "log_density_and_gradient" if getattr(log_density, "__name__", "").endswith("and_gradient") else "log_density"
    with tempfile.TemporaryDirectory(prefix="boltzcurve_") as temporary:
        output = pathlib.Path(folder) if folder is not None else pathlib.Path(temporary) / "run"
        place = output.resolve().parent if folder is None else output.resolve()
        place.mkdir(parents=True, exist_ok=True)
        model, stored = place / "model.py", place / "log_density.pickle"
        stored.write_bytes(pickled(log_density))
        model.write_text(MODEL.format(path=sys.path, file=str(stored), name=name))
        keys: dict[str, object] = {"target.name": "python", "target.function": f"{model}:{name}", "target.dimension": dimension,
                                   "target.framework": framework or framework_of(log_density), "target.interpreter": sys.executable,
                                   "sampling.particles": particles, "run.seed": seed, "output.names": ", ".join(names or []), **(options or {})}
        command = [found, "run", *(f"--{key}={value}" for key, value in keys.items()), "--output", str(output)]
        if ranks > 1:
            command = [*launcher, "-n", str(ranks), *command]
        done = subprocess.run([*command, "--quiet"] if quiet else command, stdout=subprocess.DEVNULL if quiet else None,
                              stderr=subprocess.PIPE if quiet else None, text=True)
        if done.returncode != 0:
            raise ToolError(f"boltzcurve ended with exit code {done.returncode}" + (f":\n{done.stderr.strip()}" if quiet else ""))
        run = read_run(output)
    assert run.samples is not None
    unknown = float("nan")
    numbers = {key: unknown if run.metrics[key] is None else float(run.metrics[key]) for key in ("log_z", "log_z_stderr", "ess")}
    return Draws(draws=run.samples.position, log_weights=run.samples.log_weight, names=tuple(run.summary["parameter"]), **numbers,
                 diagnosis=tuple(run.metrics["diagnosis"]), diagnosis_text="\n".join(run.metrics["diagnosis_text"]), summary=run.summary, run=run)

"""Log densities written in Python as targets of boltzcurve: what `target.name = python` starts beside every rank.

    def log_density(x): ...                 # of one point x [D], in numpy, JAX or PyTorch: one number, minus infinity for density zero
    def log_density_and_gradient(x): ...    # any name that ends so: of many points x [n][D]: values [n] and gradients [n][D], as numpy has them

JAX and PyTorch differentiate the function, on batches of one size, because XLA compiles for every shape anew; without them gradients are
central differences, 2 D values each. Numbers are double unless the file itself says otherwise.

The program keeps the text of this file, so that worker and program always fit, and starts

    python FILE PATH:NAME FRAMEWORK DIMENSION CAPACITY PARENT

where the descriptors below are open: a shared file of points [CAPACITY][D], energies [CAPACITY] and gradients [CAPACITY][D], and a
socket to the program. A request is two integers, points and what is wanted of them; a reply a code, a length and so many bytes of text.
The file needs nothing beside it but numpy.
"""
from __future__ import annotations

import ast
import ctypes
import faulthandler
import importlib
import itertools
import mmap
import os
import pathlib
import signal
import struct
import sys
import traceback
import types
from typing import Any, Callable, NamedTuple, NoReturn

POINTS_FILE, PROGRAM = 4, 5                    # descriptors, as src/energy/python_worker.cpp opens them
READY, REFUSED, DONE, FAILED = 0, 1, 2, 3      # codes of replies
WITH_GRADIENT = 1                              # wanted: the energy alone is 0
BATCH = 256                                    # points at a time of a traced function: few enough that filling up costs little
FRAMEWORKS = {"jax": "jax", "torch": "torch"}  # framework: the package whose import in a file says so
DIFFERENCE = sys.float_info.epsilon ** (1 / 3)  # of a coordinate, or of 1 where it is smaller: its square and rounding over it are alike
PR_SET_PDEATHSIG = 1
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # a rank has a core, and sums in another order are other bits


class Refusal(Exception):
    """What the user has to change before anything can be computed."""


class Target(NamedTuple):
    """A density as batches ask for it: log densities [n] of x [n][D], and those with gradients [n][D]."""

    value: Callable[[Any], Any]
    value_and_gradient: Callable[[Any], tuple[Any, Any]]
    how: str  # its gradients come about


def framework_of(source: ast.AST) -> str:
    """The framework that a file imports, else numpy."""
    packages = set()
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            packages.add(node.module.split(".")[0])
    found = [framework for framework, package in FRAMEWORKS.items() if package in packages]
    if len(found) > 1:
        raise Refusal(f"the file imports {' and '.join(found)}: say which of them differentiates, target.framework = {' or '.join(found)}")
    return found[0] if found else "numpy"


def use_doubles(framework: str) -> None:
    """Before the user's file is executed, whose constants are then of that kind."""
    if framework == "numpy":
        return
    os.environ.setdefault("JAX_ENABLE_X64", "1")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # ranks, and their workers, share a device
    try:
        package = importlib.import_module(FRAMEWORKS[framework])
    except ModuleNotFoundError as error:
        raise Refusal(f"{sys.executable} has no package {error.name}: pip install {error.name}, or name another target.interpreter") from error
    if framework == "torch":
        package.set_default_dtype(package.float64)
        package.set_num_threads(1)


def load(function: str, framework: str) -> tuple[Callable[..., Any], str]:
    """The function of PATH:NAME, and its framework. The file is compiled here, so that nothing is written beside it."""
    path, _, name = function.rpartition(":")
    text = pathlib.Path(path).read_bytes()
    source = ast.parse(text, path)
    if framework == "auto":
        framework = framework_of(source)
    use_doubles(framework)
    stem = pathlib.Path(path).stem
    module = types.ModuleType(stem if stem not in sys.modules else f"boltzcurve_{stem}")
    module.__file__ = path
    sys.modules[module.__name__] = module
    sys.path[0] = str(pathlib.Path(path).parent)
    exec(compile(source, path, "exec"), module.__dict__)
    found = getattr(module, name, None)
    if not callable(found):
        functions = [key for key, value in vars(module).items() if isinstance(value, types.FunctionType) and value.__module__ == module.__name__]
        raise Refusal(f"{path} has no function {name}; " + (f"it has {', '.join(functions)}" if functions else "it has none"))
    return found, framework


def number_of(value: Any, name: str) -> float:
    """What a function returned for one point."""
    import numpy as np

    array = np.asarray(value)
    if array.shape != () or array.dtype.kind not in "fiub":
        what = "None" if value is None else f"an array of shape {array.shape}" if array.shape else f"a {type(value).__name__}"
        raise TypeError(f"{name} returned {what} for one point: must be one real number")
    return float(array)


def batched(function: Callable[..., Any], name: str) -> Target:
    """A function of many points that knows its gradient."""
    import numpy as np

    def value_and_gradient(x: Any) -> tuple[Any, Any]:
        returned = function(x.copy())
        if not isinstance(returned, (tuple, list)) or len(returned) != 2:
            raise TypeError(f"{name} returned a {type(returned).__name__}: must be values [n] and gradients [n][D]")
        value, gradient = (np.asarray(array, dtype=np.float64) for array in returned)
        if value.shape != x.shape[:1] or gradient.shape != x.shape:
            raise TypeError(f"{name} returned arrays of shape {value.shape} and {gradient.shape} for points {x.shape}: must be {x.shape[:1]} and {x.shape}")
        return value, gradient

    return Target(lambda x: value_and_gradient(x)[0], value_and_gradient, "gradients by the function itself")


def point_by_point(function: Callable[..., Any], name: str) -> Target:
    """A function of one point, whose gradients are differences: one-sided beside a wall."""
    import numpy as np

    def at(point: Any) -> float:
        return number_of(function(point.copy()), name)

    def value(x: Any) -> Any:
        return np.array([at(point) for point in x], dtype=np.float64)

    def value_and_gradient(x: Any) -> tuple[Any, Any]:
        values = value(x)
        gradients = np.zeros(x.shape)
        for i, point in enumerate(x):
            if not np.isfinite(values[i]):
                continue
            for d in range(len(point)):
                moved, coordinates, sides = point.copy(), [point[d]], [values[i]]
                for direction in (-1, 1):
                    moved[d] = point[d] + direction * DIFFERENCE * max(1.0, abs(point[d]))
                    side = at(moved)
                    if np.isfinite(side):
                        position = 0 if direction < 0 else len(sides)
                        coordinates.insert(position, moved[d])
                        sides.insert(position, side)
                gradients[i, d] = (sides[-1] - sides[0]) / (coordinates[-1] - coordinates[0]) if len(sides) > 1 else 0.0
        return values, gradients

    return Target(value, value_and_gradient, "gradients by central differences of the value, 2 D values each")


def in_equal_batches(evaluate: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Any number of points by batches of one size, the last one filled up with copies of its last point."""
    import numpy as np

    def evaluate_all(x: Any) -> Any:
        filled = np.concatenate([x, np.repeat(x[-1:], -len(x) % BATCH, axis=0)])
        parts = [evaluate(filled[begin:begin + BATCH]) for begin in range(0, len(filled), BATCH)]
        if isinstance(parts[0], tuple):
            return tuple(np.concatenate(arrays)[:len(x)] for arrays in zip(*parts))
        return np.concatenate(parts)[:len(x)]

    return evaluate_all


def by_jax(function: Callable[..., Any], name: str) -> Target:
    """A JAX function of one point."""
    import jax
    import numpy as np

    def scalar(x: Any) -> Any:
        value = jax.numpy.asarray(function(x))
        if value.shape != ():
            raise TypeError(f"{name} returned an array of shape {value.shape} for one point: must be one real number")
        return value

    value = jax.jit(jax.vmap(scalar))
    value_and_gradient = jax.jit(jax.vmap(jax.value_and_grad(scalar)))
    return Target(in_equal_batches(lambda x: np.asarray(value(x))),
                  in_equal_batches(lambda x: tuple(np.asarray(array) for array in value_and_gradient(x))), "gradients by JAX")


def by_torch(function: Callable[..., Any], name: str) -> Target:
    """A PyTorch function of one point."""
    import torch

    def scalar(x: Any) -> Any:
        value = function(x)
        if not isinstance(value, torch.Tensor) or value.shape != ():
            what = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else f"a {type(value).__name__}"
            raise TypeError(f"{name} returned {what} for one point: must be a tensor of one number")
        return value

    value = torch.func.vmap(scalar)
    gradient_and_value = torch.func.vmap(torch.func.grad_and_value(scalar))

    def with_gradient(x: Any) -> tuple[Any, Any]:
        gradient, values = gradient_and_value(torch.from_numpy(x))
        return values.detach().numpy(), gradient.detach().numpy()

    return Target(in_equal_batches(lambda x: value(torch.from_numpy(x)).detach().numpy()), in_equal_batches(with_gradient), "gradients by PyTorch")


def target_of(function: Callable[..., Any], name: str, framework: str) -> Target:
    """The density that a function of that name stands for."""
    if name.endswith("and_gradient"):
        return batched(function, name)
    return {"jax": by_jax, "torch": by_torch, "numpy": point_by_point}[framework](function, name)


# --- the worker --------------------------------------------------------------------------------------------------------------------


def become_a_worker(parent: int) -> None:
    """Ends with the program, whose descriptors and signals are no business of the user's code; prints to stderr."""
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(signal_number, signal.SIG_IGN)  # the program stops in good order, and the worker with it
    signal.pthread_sigmask(signal.SIG_SETMASK, [])    # in which they were until here
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    os.dup2(2, 1)
    os.closerange(PROGRAM + 1, os.sysconf("SC_OPEN_MAX"))
    for descriptor in (POINTS_FILE, PROGRAM):
        os.set_inheritable(descriptor, False)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    faulthandler.enable(all_threads=False)  # SIGABRT, from a program that has waited too long, shows where it hangs
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")


def reply(code: int, text: str = "") -> None:
    message = text.encode("utf-8", "replace")
    data = struct.pack("=qq", code, len(message)) + message
    while data:
        data = data[os.write(PROGRAM, data):]


def read_request() -> tuple[int, int] | None:
    """Points and what is wanted of them; None where the program has ended."""
    size = struct.calcsize("=qq")
    data = b""
    while len(data) < size:
        more = os.read(PROGRAM, size - len(data))
        if not more:
            return None
        data += more
    return struct.unpack("=qq", data)  # type: ignore[return-value]


def show(error: BaseException) -> str:
    """Prints the traceback without the worker's own frames at its beginning; what it was, and where in the user's code, in one line."""
    told = traceback.TracebackException.from_exception(error)
    own = show.__code__.co_filename
    frames = list(itertools.dropwhile(lambda frame: frame.filename == own, told.stack))
    told.stack = traceback.StackSummary.from_list(frames)
    print("".join(told.format()), end="", file=sys.stderr, flush=True)
    words = error.msg if isinstance(error, SyntaxError) else str(error)
    what = type(error).__name__ + (f": {words.strip().splitlines()[0]}" if words.strip() else "")
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {what}"
    of_user = [frame for frame in frames if frame.filename != own and "-packages" not in frame.filename and not frame.filename.startswith("<")]
    return f"{of_user[-1].filename}, line {of_user[-1].lineno}, in {of_user[-1].name}: {what}" if of_user else what


def shared_arrays(dimension: int, capacity: int) -> tuple[Any, Any, Any]:
    """Points, energies and gradients in the file that the program made."""
    import numpy as np

    numbers = np.frombuffer(mmap.mmap(POINTS_FILE, 8 * capacity * (2 * dimension + 1)), dtype=np.float64)
    points, energies, gradients = np.split(numbers, [capacity * dimension, capacity * (dimension + 1)])
    return points.reshape(capacity, dimension), energies, gradients.reshape(capacity, dimension)


def serve(target: Target, dimension: int, capacity: int) -> None:
    """Answers until the program has ended. Energies are minus log densities."""
    import numpy as np

    points, energies, gradients = shared_arrays(dimension, capacity)
    while (request := read_request()) is not None:
        count, wanted = request
        x = points[:count].copy()
        if wanted >= WITH_GRADIENT:
            value, gradient = target.value_and_gradient(x)
            np.negative(gradient, out=gradients[:count], casting="unsafe")
        else:
            value = target.value(x)
        np.negative(value, out=energies[:count], casting="unsafe")
        reply(DONE)


def main(function: str, framework: str, dimension: str, capacity: str, parent: str) -> NoReturn:
    become_a_worker(int(parent))
    name = function.rpartition(":")[2]
    code = REFUSED
    try:
        try:
            import numpy as np
        except ModuleNotFoundError as error:
            raise Refusal(f"{sys.executable} has no package {error.name}: pip install {error.name}, or name another target.interpreter") from error
        np.seterr(all="ignore")  # what is not finite is counted by the program
        found, framework = load(function, framework)
        target = target_of(found, name, framework)
        reply(READY, target.how)
        code = FAILED
        serve(target, int(dimension), int(capacity))
    except Refusal as error:
        reply(code, str(error))
    except BaseException as error:  # also SystemExit: whatever ends the worker is told
        reply(code, show(error))
    sys.stdout.flush()
    os._exit(0)  # without waiting for threads of the user's code


if __name__ == "__main__":
    main(*sys.argv[1:])

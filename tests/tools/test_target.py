"""The worker that evaluates log densities written in Python, spoken to as the program does."""
import mmap
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys

import numpy as np
import pytest
from boltzcurve_tools import target

WORKER = pathlib.Path(target.__file__)
CAPACITY = 300  # more than a batch of a traced function
SPREAD = np.array([1.0, 0.5, 2.0])


class Worker:
    """A worker of a function in three dimensions, and the program's end of it."""

    def __init__(self, function, framework="auto"):
        points = os.memfd_create("points")
        os.ftruncate(points, 8 * CAPACITY * 7)
        self.program, of_worker = socket.socketpair()
        given = {3: os.open(WORKER, os.O_RDONLY), target.POINTS_FILE: points, target.PROGRAM: of_worker.fileno()}
        aside = {number: os.dup(descriptor) for number, descriptor in given.items()}  # beyond the numbers that are written over

        def hand_over():
            for number, descriptor in aside.items():
                os.dup2(descriptor, number)

        self.process = subprocess.Popen([sys.executable, "/dev/fd/3", str(function), framework, "3", str(CAPACITY), str(os.getpid())],
                                        preexec_fn=hand_over, pass_fds=(*aside.values(), *given), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        of_worker.close()
        numbers = np.frombuffer(mmap.mmap(points, 8 * CAPACITY * 7), dtype=np.float64)
        self.points, self.energies, self.gradients = numbers[:3 * CAPACITY].reshape(-1, 3), numbers[3 * CAPACITY:4 * CAPACITY], numbers[4 * CAPACITY:].reshape(-1, 3)
        self.points[:] = np.random.default_rng(1).standard_normal(self.points.shape)
        self.code, self.text = self.reply()

    def reply(self):
        head = self.program.recv(16, socket.MSG_WAITALL)
        if len(head) < 16:
            return None, ""
        code, size = struct.unpack("=qq", head)
        return code, self.program.recv(size, socket.MSG_WAITALL).decode() if size else ""

    def ask(self, count, wanted=target.WITH_GRADIENT):
        self.program.sendall(struct.pack("=qq", count, wanted))
        return self.reply()

    def end(self):
        """What it has written to stdout and stderr, when it has no more program."""
        self.program.close()
        return self.process.communicate(timeout=20)


@pytest.fixture
def worker(tmp_path):
    """Makes workers of functions in a file with a given text."""
    made = []

    def make(text, name="log_density", framework="auto"):
        (tmp_path / "model.py").write_text(text)
        made.append(Worker(f"{tmp_path / 'model.py'}:{name}", framework))
        return made[-1]

    yield make
    for one in made:
        one.process.kill()
        one.end()


NORMAL = {
    "numpy": "import numpy as np\ndef log_density(x): return -0.5 * np.sum((x / np.array([1, 0.5, 2])) ** 2)\n",
    "batched": "import numpy as np\nS = np.array([1, 0.5, 2])\ndef log_density_and_gradient(x): return -0.5 * np.sum((x / S) ** 2, 1), -x / S**2\n",
    "jax": "import jax.numpy as jnp\nS = jnp.array([1, 0.5, 2])\ndef log_density(x): return -0.5 * jnp.sum((x / S) ** 2)\n",
    "torch": "import torch\nS = torch.tensor([1, 0.5, 2])\ndef log_density(x): return -0.5 * torch.sum((x / S) ** 2)\n",
}


# A quadratic function's central differences have no error but rounding, 1e-16 f over a step of 6e-6; all else is double.
@pytest.mark.parametrize("kind, tolerance", [("numpy", 1e-8), ("batched", 1e-14), ("jax", 1e-14), ("torch", 1e-14)])
def test_energies_and_gradients_are_those_of_a_normal_law_in_any_number(worker, kind, tolerance):
    if kind in target.FRAMEWORKS:
        pytest.importorskip(kind)
    one = worker(NORMAL[kind], "log_density_and_gradient" if kind == "batched" else "log_density")
    assert one.code == target.READY, one.text
    for count in (1, 7, 256, CAPACITY):
        one.energies[:], one.gradients[:] = np.nan, np.nan
        assert one.ask(count) == (target.DONE, "")
        x = one.points[:count]
        assert np.allclose(one.energies[:count], 0.5 * np.sum((x / SPREAD) ** 2, 1), rtol=1e-14)
        assert np.allclose(one.gradients[:count], x / SPREAD**2, rtol=tolerance, atol=tolerance)
        assert np.isnan(one.energies[count:]).all() and np.isnan(one.gradients[count:]).all()
    one.gradients[:] = np.nan
    assert one.ask(3, wanted=0) == (target.DONE, "") and np.isnan(one.gradients).all()


@pytest.mark.parametrize("kind", ["numpy", "jax"])
def test_a_point_has_the_same_bits_wherever_it_stands(worker, kind):
    if kind in target.FRAMEWORKS:
        pytest.importorskip(kind)
    one = worker(NORMAL[kind])
    one.points[:] = one.points[0]
    one.ask(CAPACITY)
    assert np.unique(one.energies).size == 1 and np.unique(one.gradients, axis=0).shape == (1, 3)


def test_density_zero_and_not_a_number_arrive_and_differences_do_not_cross_a_wall(worker):
    one = worker("import math\ndef log_density(x): return math.nan if x[1] > 5 else -math.inf if x[0] < 0 else -2 * x[0]\n")
    one.points[:3] = [[-1, 0, 0], [1e-9, 0, 0], [1, 6, 0]]
    assert one.ask(3) == (target.DONE, "")
    assert one.energies[0] == np.inf and one.energies[1] == 2e-9 and np.isnan(one.energies[2])
    assert one.gradients[1] == pytest.approx([2, 0, 0], abs=1e-8)


def test_what_the_function_prints_goes_to_stderr_and_harms_nothing(worker):
    one = worker("print('loaded')\ndef log_density(x):\n    print('called')\n    return 0.0\n")
    assert one.code == target.READY and one.ask(1) == (target.DONE, "")
    out, err = one.end()
    assert out == "" and err.splitlines()[:2] == ["loaded", "called"]


REFUSED = {
    "def other(x): return 0\ndef third(x): return 1\n": "model.py has no function log_density; it has other, third",
    "log_density = 3\n": "model.py has no function log_density; it has none",
    "def log_density(x) return 0\n": r"model.py, line 1: SyntaxError: expected ':'",
    "import nothing_of_that_name\n": "model.py, line 1, in <module>: ModuleNotFoundError: No module named 'nothing_of_that_name'",
    "def log_density(x): return 0\nraise ValueError('two\\nlines')\n": "model.py, line 2, in <module>: ",
    "import jax, torch\n": "imports jax and torch: say which of them differentiates, target.framework = jax or torch",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_file_that_does_not_load_is_refused(worker, text):
    one = worker(text)
    assert one.code == target.REFUSED and re.search(REFUSED[text], one.text), one.text


def test_a_missing_package_says_how_to_install_it(worker):
    missing = next((framework for framework in target.FRAMEWORKS if not has(framework)), None)
    if missing is None:
        pytest.skip("both JAX and PyTorch are installed")
    one = worker("def log_density(x): return 0\n", framework=missing)
    assert one.code == target.REFUSED and f"pip install {missing}" in one.text and sys.executable in one.text


def has(package):
    return subprocess.run([sys.executable, "-c", f"import {package}"], capture_output=True).returncode == 0


FAILS = {
    "def log_density(x): return x\n": r"TypeError: log_density returned an array of shape \(3,\) for one point: must be one real number",
    "def log_density(x): pass\n": "TypeError: log_density returned None for one point",
    "def log_density(x): return 1j\n": "TypeError: log_density returned a complex for one point",
    "def log_density(x):\n    raise ValueError('far out')\n": r"model.py, line 2, in log_density: ValueError: far out",
    "import sys\ndef log_density(x): sys.exit(3)\n": r"model.py, line 2, in log_density: SystemExit: 3",
}


@pytest.mark.parametrize("text", FAILS)
def test_an_error_of_a_call_is_told_with_its_place_and_the_users_part_of_the_traceback(worker, text):
    one = worker(text)
    code, message = one.ask(1)
    assert code == target.FAILED and re.search(FAILS[text], message), message
    _, err = one.end()
    assert message.split(": ")[-1] in err
    if "line" in FAILS[text]:
        assert err.startswith("Traceback") and err.splitlines()[1].startswith("  File") and "model.py" in err.splitlines()[1]


@pytest.mark.parametrize("returned, says", [("x", "returned a ndarray"), ("(x[:, 0], x[:, 0])", r"shape \(2,\) and \(2,\) for points \(2, 3\)"), ("(x, x)", r"\(2, 3\) and")])
def test_a_batch_of_the_wrong_shape_is_told_with_the_right_one(worker, returned, says):
    one = worker(f"def log_density_and_gradient(x): return {returned}\n", "log_density_and_gradient")
    code, message = one.ask(2)
    assert code == target.FAILED and re.search(says, message), message


def test_jax_functions_must_return_one_number_and_are_double(worker):
    pytest.importorskip("jax")
    one = worker("import jax.numpy as jnp\ndef log_density(x): return x\n")
    code, message = one.ask(1)
    assert code == target.FAILED and "log_density returned an array of shape (3,) for one point" in message
    one = worker("import jax.numpy as jnp\ndef log_density(x): return jnp.where(x.dtype == jnp.float64, -1.0, -2.0) * jnp.sum(x)\n")
    one.points[0] = [1, 1e-12, 0]
    assert one.ask(1) == (target.DONE, "") and one.energies[0] == 1 + 1e-12


def test_a_worker_ignores_the_signals_that_stop_a_run_and_ends_with_its_program(worker):
    one = worker(NORMAL["numpy"])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        one.process.send_signal(number)
    assert one.ask(2) == (target.DONE, "")
    one.end()
    assert one.process.returncode == 0


def test_nothing_is_written_beside_the_function_and_its_neighbours_can_be_imported(worker, tmp_path):
    (tmp_path / "neighbour.py").write_text("SCALE = 3.0\n")
    one = worker("import sys\nsys.dont_write_bytecode = True\nimport neighbour\ndef log_density(x): return -neighbour.SCALE\n")
    assert one.ask(1) == (target.DONE, "") and one.energies[0] == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.py", "neighbour.py"]

"""boltzcurve_tools.sample: weighted draws of a log density written in Python, the same on any number of ranks, and errors that tell all."""
import importlib
import math
import shutil
import sys

import numpy as np
import pytest
from boltzcurve_tools import ToolError, UsageError, sample
from boltzcurve_tools.sampling import framework_of
from support import PROGRAM

SMALL = {"pilot.particles": 256, "network.width": 8, "network.hidden-layers": 1, "collocation.points": 128, "training.steps": 10, "evaluation.pilot-samples": 100}
MODEL = """
import math
import numpy as np

MEAN, SD = np.array([1.0, -2.0]), np.array([1.0, 0.5])

def log_density(x):
    return -0.5 * float(np.sum(((x - MEAN) / SD) ** 2))

def log_density_and_gradient(x):
    u = (x - MEAN) / SD
    return -0.5 * (u[:, 0] * u[:, 0] + u[:, 1] * u[:, 1]), -u / SD

def raises(x):
    raise ValueError("far out")
"""


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A module with log densities, on the path."""
    (tmp_path / "model_of_a_test.py").write_text(MODEL)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    sys.modules.pop("model_of_a_test", None)
    return importlib.import_module("model_of_a_test")


def draw(function, **settings):
    return sample(function, dimension=2, program=PROGRAM, options=SMALL, **{"particles": 200, **settings})


# Five standard errors each; log Z of the normal law is log(2 pi sd_1 sd_2).
def test_draws_of_a_normal_law_have_its_moments_and_log_z(model):
    draws = draw(model.log_density_and_gradient, names=["mu", "nu"])
    assert draws.names == ("mu", "nu") and draws.draws.shape == (200, 2) and draws.log_weights.shape == (200,)
    assert abs(draws.log_z - math.log(math.pi)) < 5 * draws.log_z_stderr + 1e-3 and 0.5 < draws.ess <= 1
    assert np.allclose(draws.weights @ draws.draws, draws.summary["mean"], rtol=1e-9)
    assert (np.abs(draws.summary["mean"] - model.MEAN) < 5 * draws.summary["mcse"]).all()
    assert np.allclose(draws.summary["sd"], model.SD, rtol=0.25)
    energy = 0.5 * np.sum(((draws.draws - model.MEAN) / model.SD) ** 2, 1)
    assert np.allclose(draws.samples.energy, energy, atol=1e-9)
    assert draws.resample().shape == (200, 2) and abs(draws.resample().mean(0) - draws.summary["mean"]).max() < 0.05


def test_draws_are_the_same_bits_on_any_number_of_ranks_and_kept_where_asked(model, tmp_path):
    mpirun = shutil.which("mpirun")
    if mpirun is None:
        pytest.skip("no mpirun on the path")
    one = draw(model.log_density_and_gradient, folder=tmp_path / "run")
    assert (tmp_path / "run/summary.csv").is_file()
    for ranks in (2, 3):
        more = draw(model.log_density_and_gradient, ranks=ranks, launcher=(mpirun, "--oversubscribe"))
        assert np.array_equal(more.draws, one.draws) and np.array_equal(more.log_weights, one.log_weights)
        assert all(np.array_equal(more.summary[name], one.summary[name]) for name in one.summary)


def test_a_function_of_a_point_without_gradient_takes_differences_and_says_so(model, capfd):
    draws = draw(model.log_density, quiet=False)
    assert "central differences" in capfd.readouterr().out
    assert abs(draws.log_z - math.log(math.pi)) < 5 * draws.log_z_stderr + 1e-3


def test_an_error_of_the_function_reaches_its_user_with_the_traceback(model):
    with pytest.raises(ToolError, match=r"(?s)exit code 4.*model_of_a_test.py, line 15, in raises.*ValueError: far out"):
        draw(model.raises)


def test_a_missing_program_and_a_function_that_cannot_be_handed_over_are_told(model, monkeypatch):
    with pytest.raises(UsageError, match="no program nowhere/boltzcurve on the path"):
        sample(model.log_density, 2, program="nowhere/boltzcurve")
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(UsageError, match="pip install cloudpickle"):
        draw(lambda x: 0.0)


def test_the_framework_is_that_of_what_the_function_names(model):
    assert framework_of(model.log_density) == "numpy"
    jax = pytest.importorskip("jax")
    assert framework_of(jax.jit(model.log_density)) == "jax"
    namespace = {}
    exec("import jax.numpy as jnp\ndef f(x): return jnp.sum(x)", namespace)
    assert framework_of(namespace["f"]) == "jax"

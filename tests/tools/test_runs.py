"""Runs of the program, read back: every number equal to what HDF5 holds, identities between columns, and refusals."""
import dataclasses
import json

import h5py
import numpy as np
import pytest
from boltzcurve_tools import InputError, metrics, read_run
from boltzcurve_tools.runs import PARTICLE_UNITS
from support import EVERY_RUN, RUNS, spoiled  # noqa: F401


@pytest.mark.parametrize("name", EVERY_RUN)
def test_every_column_is_what_the_files_hold(name):
    run = read_run(RUNS / name)
    with h5py.File(RUNS / name / "samples.h5md") as file:
        assert PARTICLE_UNITS.keys() == file["samples"].keys()
        for column in PARTICLE_UNITS:
            assert np.array_equal(getattr(run.samples, column), file["samples"][column][()]), column
    with h5py.File(RUNS / name / "metrics.h5") as file:
        assert run.training.keys() == file["training"].keys() and run.evaluations.keys() == file["evaluation"].keys()
        assert np.array_equal(run.training["loss"], file["training/loss"][()])
    assert run.units["training/seconds"] == "s" and run.units["evaluation/nll"] == "nats"
    assert run.state == "finished" and run.samples.complete and not run.missing


def test_ess_and_log_z_follow_from_the_weights():
    run = read_run(RUNS / "plane")
    weight = np.exp(run.samples.log_weight)
    assert run.metrics["ess"] == pytest.approx(weight.sum() ** 2 / (weight**2).sum() / len(weight), rel=1e-9)
    assert run.metrics["log_z"] == pytest.approx(np.log(weight.mean()), abs=1e-9)
    assert run.samples.weight.sum() == pytest.approx(1)


def test_the_energy_is_that_of_the_target():
    # The target of the run "space": two normals in three dimensions, so log Z = 0.
    run = read_run(RUNS / "space")
    x = run.samples.position
    density = sum(weight * np.exp(-((x - mean) ** 2).sum(1) / (2 * sd**2)) / (2 * np.pi * sd**2) ** 1.5
                  for weight, mean, sd in ((0.5, [-1, 0, 1], 0.5), (0.5, [1, 0.5, -1], 0.7)))
    assert run.samples.energy == pytest.approx(-np.log(density), abs=1e-9)


def test_the_last_frame_is_where_the_particles_end():
    for name in ("plane", "space", "four"):
        run = read_run(RUNS / name, frame_particles=None)
        assert np.array_equal(run.trajectory.coordinates[-1], run.samples.position)
        assert run.trajectory.particles == 400 and run.trajectory.time[-1] == 0
    assert read_run(RUNS / "without_frames").trajectory is None


def test_options_keep_their_sections_and_repeated_keys():
    run = read_run(RUNS / "space")
    assert run.option("target.name") == "gaussian-mixture" and run.option("training.steps") == "40" and run.option("training.none") is None
    assert [value for key, value in run.options["target"] if key == "mode"] == ["0.5|-1 0 1|0.5", "0.5|1 0.5 -1|0.7"]


def test_every_key_of_an_evaluation_has_a_meaning():
    evaluation = json.loads((RUNS / "plane/evaluation.json").read_text())
    described = set(metrics.BY_NAME) | {"target", "curve", "diagnosis", "diagnosis_text"}
    assert evaluation.keys() - described == set(), "add it to boltzcurve_tools/metrics.py"
    assert set(metrics.BY_NAME) - evaluation.keys() == set()


def test_differences_from_bounds():
    evaluation = {"ess": 0.75, "log_z": 0.5, "log_z_exact": 0.25, "nll": 3.0, "nll_floor": None, "escaped": 2, "max_steps": 1}
    assert metrics.beyond(evaluation, "ess") == -0.25 and metrics.beyond(evaluation, "log_z") == 0.25
    assert metrics.beyond(evaluation, "nll") is None and metrics.failed(evaluation) == 3


def test_pandas_or_a_message(spoiled):  # noqa: F811
    run = read_run(RUNS / "plane")
    try:
        import pandas  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(Exception, match="needs the Python package pandas: pip install pandas"):
            run.to_pandas()
        return
    frames = run.to_pandas()
    assert np.array_equal(frames["samples"]["x2"].to_numpy(), run.samples.position[:, 1])
    assert frames["training"].index.name == "step" and (frames["samples"]["status"] == "finished").all()


def test_xarray_or_a_message():
    run = read_run(RUNS / "plane")
    try:
        import xarray  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(Exception, match="needs the Python package xarray"):
            run.to_xarray()
        return
    sets = run.to_xarray()
    assert sets["trajectory"].coordinates.shape == (4, 400, 2)
    assert sets["evaluation"]["nll"].attrs["units"] == "nats"
    assert np.array_equal(sets["samples"]["position"].sel(dimension=2), run.samples.position[:, 1])


def test_a_folder_without_a_run_and_a_broken_file_are_refused(spoiled, tmp_path):  # noqa: F811
    with pytest.raises(InputError, match="is no output folder of a run"):
        read_run(tmp_path)
    folder = spoiled("plane")
    (folder / "metrics.h5").write_bytes(b"no HDF5")
    with pytest.raises(InputError, match="metrics.h5"):
        read_run(folder)
    folder = spoiled("space")
    with h5py.File(folder / "samples.h5md", "a") as file:
        del file["samples/log_weight"]
        file["samples/log_weight"] = np.zeros(3)
    with pytest.raises(InputError, match=r"log_weight \(3,\) should be"):
        read_run(folder)
    folder = spoiled("four")
    (folder / "evaluation.json").write_text("[1]")
    with pytest.raises(InputError, match="expected one object"):
        read_run(folder)
    folder = spoiled("without_frames")
    (folder / "summary.csv").write_text("parameter,mean\nx1,2\n")
    with pytest.raises(InputError, match="summary.csv: expected rows of parameter,mean,sd,mcse"):
        read_run(folder)


def test_a_run_that_has_only_trained_can_be_read(spoiled):  # noqa: F811
    folder = spoiled("plane")
    (folder / "samples.h5md").unlink()
    (folder / "evaluation.json").unlink()
    run = read_run(folder)
    assert run.samples is None and run.metrics == {} and len(run.training["loss"]) == 4
    assert run.missing == ["samples.h5md", "evaluation.json"] and dataclasses.is_dataclass(run)

"""Our files, read by programs that we did not write: MDAnalysis, VTK, xarray, ArviZ. Equal to the bit, every frame.

In a virtual environment of their own, see readers.py.
"""
import shutil
import subprocess
import sys

import boltzcurve_tools
import h5py
import numpy as np
import pytest
from boltzcurve_tools import read_run, sample
from boltzcurve_tools.export import resampled
from boltzcurve_tools.runs import PARTICLE_UNITS
from support import EVERY_RUN, PROGRAM, RUNS, SOURCE, succeeds

WITH_FRAMES = ("plane", "space", "four")


def frames_of(name):
    """The first three coordinates of every frame, from HDF5 itself."""
    with h5py.File(RUNS / name / "samples.h5md") as file:
        group = file["particles/trajectory"]
        stored = (group["coordinates"] if "coordinates" in group else group["position"])["value"][()]
        time = file["observables/curve_time/value"][()]
    padded = np.zeros((*stored.shape[:2], 3))
    padded[..., :min(3, stored.shape[2])] = stored[..., :3]
    return padded, time


@pytest.mark.parametrize("name", WITH_FRAMES)
@pytest.mark.filterwarnings("ignore")
def test_mdanalysis_opens_the_samples_and_finds_every_position(name):
    import MDAnalysis
    frames, time = frames_of(name)
    universe = MDAnalysis.Universe.empty(frames.shape[1], trajectory=True)
    universe.load_new(str(RUNS / name / "samples.h5md"), format="H5MD", convert_units=False)
    assert universe.trajectory.n_frames == len(frames) and universe.trajectory.n_atoms == frames.shape[1]
    for k, step in enumerate(universe.trajectory):
        # MDAnalysis holds positions in float, whatever the file has: equal to the bit means to those of the file, so rounded.
        assert step.positions.dtype == np.float32
        assert np.array_equal(step.positions.view(np.uint32), frames[k].astype(np.float32).view(np.uint32)), f"frame {k}"
        assert step.data["step"] == k and step.time == abs(time[k] - time[0])
        assert step.data["curve_time"] == time[k]
        assert step.dimensions is None


@pytest.mark.parametrize("name", EVERY_RUN)
def test_vtk_reads_the_export_back_equal(name, tmp_path):
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOHDF import vtkHDFReader
    succeeds("export", RUNS / name, tmp_path / "run.vtkhdf")
    run = read_run(RUNS / name, frame_particles=None)
    reader = vtkHDFReader()
    assert reader.CanReadFile(str(tmp_path / "run.vtkhdf"))
    reader.SetFileName(str(tmp_path / "run.vtkhdf"))
    reader.UpdateInformation()
    count = 1 if run.trajectory is None else len(run.trajectory.time)
    assert reader.GetNumberOfSteps() == count or (run.trajectory is None and reader.GetNumberOfSteps() in (0, 1))
    for k in range(count):
        reader.SetStep(k)
        reader.Update()
        data = reader.GetOutput()
        frame = run.samples.position if run.trajectory is None else run.trajectory.coordinates[k]
        points = vtk_to_numpy(data.GetPoints().GetData())
        shown = min(3, frame.shape[1])
        assert points.dtype == np.float64 and np.array_equal(points[:, :shown], frame[:, :shown]) and not points[:, shown:].any()
        assert data.GetNumberOfVerts() == len(frame) and data.GetNumberOfCells() == len(frame)
        for column in run.samples.columns:
            assert np.array_equal(vtk_to_numpy(data.GetPointData().GetArray(column)), getattr(run.samples, column)), column
        if frame.shape[1] != 3:
            assert np.array_equal(vtk_to_numpy(data.GetPointData().GetArray("coordinates")), frame)
        if run.trajectory is not None:
            assert vtk_to_numpy(data.GetFieldData().GetArray("curve_time")).ravel() == run.trajectory.time[k]


def test_xarray_reads_the_export_back_equal(tmp_path):
    import xarray
    succeeds("export", RUNS / "four", tmp_path / "run.nc")
    run = read_run(RUNS / "four", frame_particles=None)
    with xarray.open_dataset(tmp_path / "run.nc", group="particles", engine="h5netcdf") as particles:
        for column in PARTICLE_UNITS.keys() - {"id"}:
            assert particles[column].attrs["units"] == PARTICLE_UNITS[column]
            assert np.array_equal(particles[column].values, getattr(run.samples, column)), column
    with xarray.open_dataset(tmp_path / "run.nc", group="trajectory", engine="h5netcdf") as trajectory:
        assert np.array_equal(trajectory["coordinates"].values, run.trajectory.coordinates)
        assert np.array_equal(trajectory["time"].values, run.trajectory.time)
    with xarray.open_dataset(tmp_path / "run.nc", group="posterior", engine="h5netcdf") as posterior, \
            xarray.open_dataset(tmp_path / "run.nc", group="sample_stats", engine="h5netcdf") as statistics:
        assert posterior["x"].dims == ("chain", "draw", "dimension")
        chosen = statistics["particle"].values[0]
        assert np.array_equal(posterior["x"].values[0], run.samples.position[chosen])
        assert np.array_equal(statistics["lp"].values[0], -run.samples.energy[chosen])
    with xarray.open_dataset(tmp_path / "run.nc", group="evaluation", engine="h5netcdf") as evaluation:
        assert np.array_equal(evaluation["ess"].values, run.evaluations["ess"]) and evaluation["nll"].attrs["units"] == "nats"


@pytest.mark.filterwarnings("ignore")
def test_arviz_takes_the_export_and_its_weights(tmp_path):
    import arviz
    succeeds("export", RUNS / "plane", tmp_path / "run.nc")
    run, data = read_run(RUNS / "plane"), arviz.from_netcdf(str(tmp_path / "run.nc"))
    summary = arviz.summary(data, var_names=["x"], kind="stats", round_to="none")
    # Systematic resampling keeps means to the range of the samples over their number.
    mean = (run.samples.weight[:, None] * run.samples.position).sum(0)
    assert np.abs(summary["mean"].to_numpy() - mean).max() < np.ptp(run.samples.position, axis=0).max() * 40 / len(mean) / len(run.samples.id)
    weight = np.exp(data["particles"]["log_weight"].values)
    assert weight.sum() ** 2 / (weight**2).sum() / len(weight) == pytest.approx(run.metrics["ess"], rel=1e-9)
    assert data["sample_stats"]["lp"].dims == ("chain", "draw") and data["evaluation"]["nll"].attrs["units"] == "nats"


@pytest.mark.filterwarnings("ignore")
def test_arviz_takes_draws_as_of_cmdstan(tmp_path):
    import arviz
    succeeds("export", RUNS / "plane", tmp_path / "run.csv")
    run, data = read_run(RUNS / "plane"), arviz.from_cmdstan(posterior=str(tmp_path / "run.csv"))
    chosen = resampled(run.samples)
    assert np.array_equal(data["posterior"]["x"].values, run.samples.position[chosen][None])
    assert np.array_equal(data["sample_stats"]["lp"].values, -run.samples.energy[chosen][None])


@pytest.mark.filterwarnings("ignore")
def test_arviz_takes_draws_of_a_function_of_a_notebook():
    import arviz
    scale = 2.0
    draws = sample(lambda x: -0.5 * float((x[0] / scale) ** 2 + x[1] ** 2), 2, names=["wide", "one"], particles=200, program=PROGRAM,
                   options={"pilot.particles": 256, "network.width": 8, "network.hidden-layers": 1, "collocation.points": 128, "training.steps": 20})
    data = draws.to_arviz()
    summary = arviz.summary(data, kind="stats", round_to="none")
    assert np.abs(summary["mean"].to_numpy() - draws.summary["mean"]).max() < np.ptp(draws.draws, axis=0).max() * 40 / 200
    assert sorted(data["posterior"].data_vars) == ["one", "wide"] and data["posterior"]["wide"].dims == ("chain", "draw")
    chosen = data["sample_stats"]["particle"].values[0]
    assert np.array_equal(data["sample_stats"]["log_weight"].values[0], draws.log_weights[chosen])
    assert np.array_equal(data["posterior"]["wide"].values[0], draws.draws[chosen, 0])


def test_type_hints_hold():
    result = subprocess.run([sys.executable, "-m", "mypy", "--cache-dir=/dev/null", "boltzcurve_tools"], cwd=SOURCE / "tools", capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_xarray_loads_the_metrics_as_they_are():
    import xarray
    run = read_run(RUNS / "plane")
    with xarray.open_dataset(RUNS / "plane/metrics.h5", group="training", engine="h5netcdf", phony_dims="sort") as training:
        for name, values in run.training.items():
            assert np.array_equal(training[name].values, values), name


def test_the_package_installs_with_pip_and_brings_all_it_needs(tmp_path):
    shutil.copytree(SOURCE / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))  # pip leaves its traces beside the sources
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target",
                    str(tmp_path / "installed"), str(tmp_path / "tools")], check=True, capture_output=True)
    environment = {"PYTHONPATH": str(tmp_path / "installed"), "PATH": "/usr/bin:/bin", "MPLCONFIGDIR": str(tmp_path)}
    command = [sys.executable, str(tmp_path / "installed/bin/boltzcurve-tools")]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, env=environment, check=True)
    assert version.stdout.strip() == f"boltzcurve-tools {boltzcurve_tools.__version__}"
    subprocess.run([*command, "report", str(RUNS / "plane"), "--output", str(tmp_path / "report.html")], env=environment, check=True, cwd=tmp_path)
    assert "--ground" in (tmp_path / "report.html").read_text(), "the style of the page is not installed"

"""Exports, checks and comparisons that need no reader but numpy and h5py: arrays back equal, every rule of H5MD broken once and named."""
import subprocess

import h5py
import numpy as np
import pytest
from boltzcurve_tools import read_run
from boltzcurve_tools.export import resampled
from boltzcurve_tools.h5md import check_h5md
from boltzcurve_tools.runs import PARTICLE_UNITS, Samples
from support import EVERY_RUN, RUNS, refuses, spoiled, succeeds, tools  # noqa: F401

POSITION = "particles/trajectory/position"


@pytest.mark.parametrize("name", EVERY_RUN)
def test_npz_gives_every_array_back_equal(name, tmp_path):
    succeeds("export", RUNS / name, tmp_path / "run.npz")
    run, arrays = read_run(RUNS / name, frame_particles=None), np.load(tmp_path / "run.npz")
    for column in PARTICLE_UNITS:
        assert np.array_equal(arrays[column], getattr(run.samples, column)), column
    assert np.array_equal(arrays["training_loss"], run.training["loss"]) and np.array_equal(arrays["evaluation_ess"], run.evaluations["ess"])
    assert ("frames" in arrays) == (run.trajectory is not None)
    if run.trajectory is not None:
        assert np.array_equal(arrays["frames"], run.trajectory.coordinates) and np.array_equal(arrays["frame_time"], run.trajectory.time)


def test_draws_as_of_cmdstan_have_the_names_of_the_coordinates(spoiled, tmp_path):  # noqa: F811
    folder = spoiled("plane")
    text = (folder / "summary.csv").read_text()
    (folder / "summary.csv").write_text(text.replace("\nx1,", "\nmu,").replace("\nx2,", "\ntheta.1,"))
    succeeds("export", folder, tmp_path / "run.csv")
    head, *rows = (tmp_path / "run.csv").read_text().splitlines()
    samples = read_run(folder).samples
    chosen = resampled(samples)
    assert head == "lp__,mu,theta.1"
    assert np.array_equal(np.array([row.split(",") for row in rows], float), np.column_stack([-samples.energy[chosen], samples.position[chosen]]))


def test_systematic_resampling_keeps_each_weight_to_one_draw():
    log_weight = np.random.default_rng(2).standard_normal(500)
    log_weight[:50] = -np.inf
    samples = Samples(np.zeros((500, 1)), np.zeros(500), log_weight, np.zeros(500, int), ("ok",), np.zeros(500, int), np.arange(500), True)
    counts = np.bincount(resampled(samples), minlength=500)
    assert counts.sum() == 500 and (np.abs(counts - 500 * samples.weight) < 1).all() and not counts[:50].any()


@pytest.mark.parametrize("name", EVERY_RUN)
def test_the_programs_files_are_h5md(name):
    assert "none broken" in succeeds("check", RUNS / name / "samples.h5md").stdout
    assert check_h5md(RUNS / name / "samples.h5md").rules >= 10


def fixed(text):
    return np.array(text, dtype=h5py.string_dtype("ascii", len(text)))


def remake(file, path, data):
    """Another dataset in the place of the one there."""
    del file[path]
    file[path] = data


BROKEN = {  # what is done to a sound file: what the check must say of it
    "no metadata": (lambda f: f.move("h5md", "other"), "has no group h5md"),
    "version as text": (lambda f: f["h5md"].attrs.__setitem__("version", "1.1"), "version must be two integers"),
    "no author": (lambda f: f.__delitem__("h5md/author"), "/h5md: has no group author"),
    "author without a name": (lambda f: f["h5md/author"].attrs.__delitem__("name"), "/h5md/author: has no attribute name"),
    "name of any length": (lambda f: f["h5md/author"].attrs.__setitem__("name", "somebody"), "name must have a fixed length"),
    "creator without version": (lambda f: f["h5md/creator"].attrs.__delitem__("version"), "/h5md/creator: has no attribute version"),
    "two texts": (lambda f: f["h5md/creator"].attrs.__setitem__("name", [b"a", b"b"]), "name must be one text"),
    "no box": (lambda f: f.__delitem__("particles/trajectory/box"), "/particles/trajectory: has no group box"),
    "dimension as a float": (lambda f: f["particles/trajectory/box"].attrs.__setitem__("dimension", 3.0), "dimension must be one integer"),
    "two boundaries": (lambda f: f["particles/trajectory/box"].attrs.__setitem__("boundary", [b"none"] * 2), "boundary must have 3 entries"),
    "odd boundary": (lambda f: f["particles/trajectory/box"].attrs.__setitem__("boundary", [b"none", b"open", b"none"]), "found open"),
    "periodic without edges": (lambda f: f["particles/trajectory/box"].attrs.__setitem__("boundary", [b"periodic", b"none", b"none"]), "has no edges"),
    "edges of two": (lambda f: f.__setitem__("particles/trajectory/box/edges", np.ones(2)), "must be D or D x D numbers"),
    "no step": (lambda f: f.__delitem__(f"{POSITION}/step"), "depends on time but has no step"),
    "step of floats": (lambda f: remake(f, f"{POSITION}/step", np.arange(4.0)), "must be Integer, found float64"),
    "too few steps": (lambda f: remake(f, f"{POSITION}/step", np.arange(3)), "has 3 entries, value has 4 rows"),
    "time that falls": (lambda f: remake(f, f"{POSITION}/time", np.array([3.0, 2, 1, 0])), "time: does not grow from row to row"),
    "time that stands": (lambda f: remake(f, f"{POSITION}/time", np.array([0.0, 1, 1, 2])), "time: does not grow from row to row"),
    "two components": (lambda f: remake(f, f"{POSITION}/value", np.zeros((4, 400, 2))), "must have 3 components"),
    "no value": (lambda f: f.__delitem__(f"{POSITION}/value"), "a dataset, or a group with a dataset value"),
    "id twice": (lambda f: f.__setitem__("particles/trajectory/id", np.zeros(400, int)), "holds an id twice"),
    "species of floats": (lambda f: f.__setitem__("particles/trajectory/species", np.zeros(400)), "species: must be Integer"),
    "masses of others": (lambda f: f.__setitem__("particles/trajectory/mass", np.ones(7)), "different numbers of particles"),
    "an observable without step": (lambda f: f.__setitem__("observables/energy/value", np.zeros(4)), "/observables/energy: depends on time but has no step"),
    "pairs without their group": (lambda f: f.__setitem__("connectivity/bonds", np.zeros((3, 2), int)), "no attribute particles_group"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_every_rule_of_h5md_can_be_broken_and_is_named(fault, spoiled):  # noqa: F811
    path = spoiled("plane") / "samples.h5md"
    spoil, words = BROKEN[fault]
    with h5py.File(path, "a") as file:
        spoil(file)
    said = [f"{violation.where}: {violation.what}" for violation in check_h5md(path).violations]
    assert any(words in sentence for sentence in said), said


def test_a_fixed_step_and_what_is_not_of_h5md_are_allowed(spoiled):  # noqa: F811
    path = spoiled("space") / "samples.h5md"
    with h5py.File(path, "a") as file:
        remake(file, f"{POSITION}/step", np.int64(1))
        remake(file, f"{POSITION}/time", 0.5)
        file[f"{POSITION}/time"].attrs["offset"] = 1.0
        file["particles/trajectory/own/anything"] = np.zeros(3)
        file["h5md/modules/units"] = h5py.Empty("f")
        del file["h5md/modules/units"]
        file.create_group("h5md/modules/units").attrs["version"] = np.array([1, 0])
    assert check_h5md(path).violations == []


def test_the_check_ends_as_the_program_would(spoiled, tmp_path):  # noqa: F811
    path = spoiled("plane") / "samples.h5md"
    with h5py.File(path, "a") as file:
        del file["h5md/author"]
    result = refuses(3, "check", path, says=["is not H5MD 1.1: 1 of"])
    assert "/h5md: has no group author" in result.stdout
    (tmp_path / "text").write_text("no HDF5")
    refuses(3, "check", tmp_path / "text", says=["text"])
    refuses(3, "check", tmp_path / "none", says=["none"])


def test_h5dump_reads_what_h5py_reads():
    run = read_run(RUNS / "plane")
    for file, dataset, values in (("metrics.h5", "/training/loss", run.training["loss"]), ("samples.h5md", "/samples/log_weight", run.samples.log_weight)):
        result = subprocess.run(["h5dump", "-m", "%.17g", "-y", "-d", dataset, str(RUNS / "plane" / file)], capture_output=True, text=True, check=True)
        data = result.stdout.split("DATA {")[1].split("}")[0]
        assert np.array_equal(np.array([float(word) for word in data.split(",")]), values), dataset


def test_a_run_compared_with_itself_and_with_another(tmp_path):
    same = succeeds("compare", RUNS / "plane", RUNS / "plane").stdout
    assert same.count("equal to the bit") == 5 and "options" not in same and "better" not in same
    other = succeeds("compare", RUNS / "plane", RUNS / "without_frames", "--output", tmp_path / "c.png").stdout
    line = next(line for line in other.splitlines() if line.startswith("target.preset"))
    assert line.split() == ["target.preset", "three", "two"]
    ess = [read_run(RUNS / name).metrics["ess"] for name in ("plane", "without_frames")]
    line = next(line for line in other.splitlines() if line.startswith("ESS"))
    assert f"{ess[1] - ess[0]:+.3g} {'better' if ess[1] > ess[0] else 'worse'}" in line
    assert "apart" in other and (tmp_path / "c.png").stat().st_size > 10000


def test_refusals(spoiled, tmp_path):  # noqa: F811
    refuses(2, "export", RUNS / "plane", tmp_path / "run.xyz", says=[".vtkhdf for ParaView", ".npz for numpy", ".nc for"])
    refuses(3, "export", RUNS / "plane", tmp_path / "no/run.npz", says=["cannot write", "No such file"])
    folder = spoiled("plane")
    (folder / "samples.h5md").unlink()
    refuses(3, "export", folder, tmp_path / "run.vtkhdf", says=["no samples to export"])
    if tools("export", RUNS / "plane", tmp_path / "run.nc").returncode:  # without xarray
        refuses(2, "export", RUNS / "plane", tmp_path / "run.nc", says=["needs the Python package", "pip install xarray h5netcdf"])
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []

"""Writes a run for other programs: VTKHDF for ParaView, NPZ for numpy, NetCDF for xarray and ArviZ, CSV for readers of CmdStan's."""
from __future__ import annotations

import csv
import pathlib
from typing import Any, Callable, Sequence

import h5py
import numpy as np

from .errors import InputError
from .packages import require
from .progress import Progress
from .runs import TEXTS, Run, Samples

VTKHDF_VERSION = (2, 0)  # the first with steps in time; later ones only add to it
VIEWER_DIMENSION = 3


def samples_of(run: Run) -> Samples:
    if run.samples is None:
        raise InputError(f"{run.folder} has no samples to export; boltzcurve run, or sample, writes them")
    return run.samples


def in_space(position: np.ndarray) -> np.ndarray:
    """[N][3]: the first three coordinates, missing ones 0."""
    points = np.zeros((len(position), VIEWER_DIMENSION))
    taken = min(VIEWER_DIMENSION, position.shape[1])
    points[:, :taken] = position[:, :taken]
    return points


def write_npz(run: Run, path: pathlib.Path) -> None:
    """Every array by its name: the columns of the samples, frames with step and time, training_*, evaluation_*."""
    arrays: dict[str, Any] = {}
    if run.samples is not None:
        arrays.update(position=run.samples.position, **run.samples.columns)
    if run.trajectory is not None:
        arrays.update(frames=run.trajectory.coordinates, frame_step=run.trajectory.step, frame_time=run.trajectory.time)
    for table, columns in (("training", run.training), ("evaluation", run.evaluations)):
        arrays.update({f"{table}_{name}": values for name, values in columns.items()})
    if not arrays:
        raise InputError(f"{run.folder} has nothing to export")
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def write_vtkhdf(run: Run, path: pathlib.Path) -> None:
    """PolyData with a vertex per particle: point data are the columns of the samples, and `coordinates` where D is not 3. With frames,
    a step of time for each, whose value is its number in the order of sampling; `curve_time` is field data."""
    samples = samples_of(run)
    particles = len(samples.id)
    frames = run.trajectory.coordinates if run.trajectory is not None else samples.position[None]
    if frames.shape[1] != particles:
        raise InputError(f"{run.folder}: frames of {frames.shape[1]} particles beside {particles} samples")
    count = len(frames)
    with h5py.File(path, "w", libver=("earliest", "v110")) as file, Progress(count, "frames") as progress:
        root = file.create_group("VTKHDF", track_order=True)
        root.attrs["Version"] = np.array(VTKHDF_VERSION, np.int64)
        root.attrs.create("Type", b"PolyData", dtype=h5py.string_dtype("ascii", len("PolyData")))
        root["NumberOfPoints"] = np.array([particles], np.int64)
        points = root.create_dataset("Points", (count * particles, VIEWER_DIMENSION), np.float64)
        data = root.create_group("PointData")
        for name, values in samples.columns.items():
            data[name] = values
        whole = data.create_dataset("coordinates", (count * particles, frames.shape[2]), np.float64) if frames.shape[2] != VIEWER_DIMENSION else None
        for k, frame in enumerate(frames):
            rows = slice(k * particles, (k + 1) * particles)
            points[rows] = in_space(frame)
            if whole is not None:
                whole[rows] = frame
            progress.advance()
        for kind in ("Vertices", "Lines", "Polygons", "Strips"):
            cells = particles if kind == "Vertices" else 0
            group = root.create_group(kind)
            group["NumberOfCells"] = np.array([cells], np.int64)
            group["NumberOfConnectivityIds"] = np.array([cells], np.int64)
            group["Connectivity"] = np.arange(cells, dtype=np.int64)
            group["Offsets"] = np.arange(cells + 1, dtype=np.int64)
        if run.trajectory is None:
            return
        steps = root.create_group("Steps")
        steps.attrs["NSteps"] = np.int64(count)
        steps["Values"] = run.trajectory.step.astype(np.float64)
        none = np.zeros(count, np.int64)
        starts = np.arange(count, dtype=np.int64) * particles
        steps["PartOffsets"], steps["NumberOfParts"], steps["PointOffsets"] = none, none + 1, starts
        steps["CellOffsets"], steps["ConnectivityIdOffsets"] = np.zeros((count, 4), np.int64), np.zeros((count, 4), np.int64)
        offsets = steps.create_group("PointDataOffsets")
        for name in data:
            offsets[name] = starts if name == "coordinates" else none  # the columns belong to the particle, whatever the frame
        field = root.create_group("FieldData")
        field["curve_time"] = run.trajectory.time
        steps.create_group("FieldDataOffsets")["curve_time"] = np.arange(count, dtype=np.int64)
        steps.create_group("FieldDataSizes")["curve_time"] = np.ones((count, 2), np.int64)


def resampled(samples: Samples) -> np.ndarray:
    """Indices of as many draws of equal weight: systematic resampling from the middle of each stratum, without any random number."""
    edges = np.cumsum(samples.weight)
    middle = (np.arange(len(edges)) + 0.5) / len(edges) * edges[-1]
    return np.searchsorted(edges, middle)


def arviz_groups(samples: Samples, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Groups as ArviZ names them: `posterior` and `sample_stats` hold one chain of draws of equal weight, resampled by the importance
    weights, with the weights that they had; a variable per name, or all coordinates as `x`. Needs the package xarray."""
    xarray = require("xarray", "groups for ArviZ", "xarray h5netcdf")
    chosen = resampled(samples)
    coordinates = {"chain": [0], "draw": np.arange(len(chosen))}

    def chain(values: np.ndarray) -> tuple[tuple[str, str], np.ndarray]:
        return ("chain", "draw"), values[chosen][None]

    if names is None:
        posterior = xarray.Dataset({"x": (("chain", "draw", "dimension"), samples.position[chosen][None])},
                                   coords={**coordinates, "dimension": np.arange(1, samples.position.shape[1] + 1)})
    else:
        posterior = xarray.Dataset({name: chain(samples.position[:, k]) for k, name in enumerate(names)}, coords=coordinates)
    posterior.attrs["comment"] = "draws of equal weight: particles resampled systematically by their importance weights"
    stats = {"lp": chain(-samples.energy), "log_weight": chain(samples.log_weight), "particle": chain(samples.id)}
    return {"posterior": posterior, "sample_stats": xarray.Dataset(stats, coords=coordinates)}


def write_netcdf(run: Run, path: pathlib.Path) -> None:
    """The groups of ArviZ; `particles` holds the particles as they are, with their weights; `trajectory`, `training` and `evaluation` the
    rest."""
    xarray = require("xarray", "export to NetCDF", "xarray h5netcdf")
    require("h5netcdf", "export to NetCDF", "xarray h5netcdf")
    groups = arviz_groups(samples_of(run), run.names)
    groups.update({"particles" if name == "samples" else name: dataset for name, dataset in run.to_xarray().items()})
    xarray.Dataset(attrs={name: str(value) for name, value in run.provenance.items() if name in TEXTS}).to_netcdf(path, mode="w", engine="h5netcdf")
    with Progress(len(groups), "groups") as progress:
        for name, dataset in groups.items():
            dataset.to_netcdf(path, group=name, mode="a", engine="h5netcdf")
            progress.advance(name)


def write_cmdstan(run: Run, path: pathlib.Path) -> None:
    """One chain of draws of equal weight, resampled by the importance weights, as CmdStan writes draws: log density and coordinates, by their
    names, else as the vector x."""
    samples = samples_of(run)
    chosen = resampled(samples)
    names = run.names or [f"x.{d + 1}" for d in range(samples.position.shape[1])]
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["lp__", *names])
        for lp, position in zip(-samples.energy[chosen], samples.position[chosen]):
            rows.writerow([repr(float(number)) for number in (lp, *position)])


FORMATS: dict[str, tuple[str, Callable[[Run, pathlib.Path], None]]] = {
    ".vtkhdf": ("ParaView", write_vtkhdf),
    ".npz": ("numpy", write_npz),
    ".nc": ("xarray and ArviZ", write_netcdf),
    ".csv": ("readers of CmdStan's draws", write_cmdstan),
}


def export(run: Run, path: pathlib.Path) -> None:
    """Writes the format that the suffix names; the file is complete or not there."""
    _, write = FORMATS[path.suffix]
    temporary = path.with_name(path.name + ".part")
    try:
        write(run, temporary)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)

"""Reads the output folder of a run into numpy, and from there into pandas or xarray."""
from __future__ import annotations

import csv
import dataclasses
import json
import os
import pathlib
from typing import Any

import h5py
import numpy as np

from .errors import InputError
from .packages import require

WRITTEN_BY: dict[str, str] = {
    "samples.h5md": "boltzcurve run, or sample",
    "metrics.h5": "boltzcurve run, or train",
    "evaluation.json": "boltzcurve run, or evaluate",
}
TEXTS = ("build", "command_line", "format", "git_description", "job_id", "options", "program_version", "start_utc")
FRAME_PARTICLES = 2000  # of a trajectory: enough for every picture; all are read only where all are asked for
SUMMARY_COLUMNS = ("parameter", "mean", "sd", "mcse", "q5", "q50", "q95", "ess")
Columns = dict[str, np.ndarray]

# A run that is going on holds a lock on its files; reading them meanwhile is safe, since every row is flushed whole.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")


@dataclasses.dataclass(frozen=True)
class Samples:
    """/samples of samples.h5md: the table of particles, one row per particle, by global id. Its columns, which all that reads or exports
    them goes over, are declared here."""

    position: np.ndarray = dataclasses.field(metadata={"unit": "length"})      # [N][D], unit of the target
    log_density: np.ndarray = dataclasses.field(metadata={"unit": "nats"})     # [N], log q
    log_weight: np.ndarray = dataclasses.field(metadata={"unit": "nats"})      # [N], log w = -f_D - log q; minus infinity for weight 0
    status: np.ndarray = dataclasses.field(metadata={"unit": "1"})             # [N], index of status_names
    status_names: tuple[str, ...]
    evaluations: np.ndarray = dataclasses.field(metadata={"unit": "1"})        # [N], of the velocity
    id: np.ndarray = dataclasses.field(metadata={"unit": "1"})                 # [N], global
    complete: bool                               # the run that wrote them came to its end
    action: np.ndarray | None = dataclasses.field(default=None, metadata={"unit": "length^2/time"})  # [N], integral of |v|^2 dt; None, as below: an old file has none
    time: np.ndarray | None = dataclasses.field(default=None, metadata={"unit": "time"})             # [N], of the curve, at the position
    island: np.ndarray | None = dataclasses.field(default=None, metadata={"unit": "1"})              # [N], within which they were resampled
    ancestor: np.ndarray | None = dataclasses.field(default=None, metadata={"unit": "1"})            # [N], id at the start

    @property
    def columns(self) -> Columns:
        """Those that the file has, by name, but for the position."""
        return {name: getattr(self, name) for name in PARTICLE_UNITS if name != "position" and getattr(self, name) is not None}

    @property
    def usable(self) -> np.ndarray:
        """[N], which particles have a finite weight, density and position."""
        return np.isfinite(self.log_weight) & np.isfinite(self.log_density) & np.isfinite(self.position).all(1)

    @property
    def energy(self) -> np.ndarray:
        """[N], f_D [nats]: the samples carry the target's energy, so no formula of it is needed here."""
        return -(self.log_weight + self.log_density)

    @property
    def weight(self) -> np.ndarray:
        """[N], importance weights that add up to 1."""
        finite = np.where(np.isfinite(self.log_weight), self.log_weight, -np.inf)
        weight = np.exp(finite - finite.max())
        return weight / weight.sum()


PARTICLE_UNITS: dict[str, str] = {field.name: field.metadata["unit"] for field in dataclasses.fields(Samples) if "unit" in field.metadata}


@dataclasses.dataclass(frozen=True)
class Trajectory:
    """Frames of particles on their way along the curve."""

    step: np.ndarray         # [T]
    time: np.ndarray         # [T], time of the curve
    coordinates: np.ndarray  # [T][n][D]
    particles: int           # N of the file, of which the first n were read


@dataclasses.dataclass(frozen=True)
class Run:
    """An output folder; what the folder lacks is None or empty."""

    folder: pathlib.Path
    samples: Samples | None
    trajectory: Trajectory | None
    training: Columns            # /training of metrics.h5
    evaluations: Columns         # /evaluation of metrics.h5
    metrics: dict[str, Any]      # evaluation.json
    units: dict[str, str]        # column -> unit
    provenance: dict[str, Any]   # root attributes of the newest file
    options: dict[str, list[tuple[str, str]]]  # section -> (key, value); a key may come more than once
    state: str                   # "running", "finished" or "stopped: " and why; empty where no file says
    summary: dict[str, Any] = dataclasses.field(default_factory=dict)  # summary.csv: column -> names, or numbers that are NaN where unknown
    time_bins: Columns = dataclasses.field(default_factory=dict)  # /time_bins of checkpoint.h5: residuals by equal parts of the clock, from the target on

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def names(self) -> list[str] | None:
        """Those that the user has given the coordinates, if any."""
        names = self.summary.get("parameter")
        return None if not names or names == [f"x{d + 1}" for d in range(len(names))] else names

    @property
    def missing(self) -> list[str]:
        """Files of a whole run that are not there."""
        return [name for name in WRITTEN_BY if not (self.folder / name).is_file()]

    def option(self, key: str) -> str | None:
        """The value of `section.key`; the first of several."""
        section, _, name = key.partition(".")
        return next((value for known, value in self.options.get(section, []) if known == name), None)

    def to_pandas(self) -> dict[str, Any]:
        """"samples" (index: id), "training" and "evaluation" (index: step), as far as the folder has them."""
        pandas = require("pandas", "reading a run into pandas")
        frames: dict[str, Any] = {}
        if self.samples is not None:
            columns = {f"x{d + 1}": self.samples.position[:, d] for d in range(self.samples.position.shape[1])} | self.samples.columns
            columns["status"] = pandas.Categorical(np.array(self.samples.status_names)[self.samples.status])
            frames["samples"] = pandas.DataFrame(columns).set_index("id")
        for table, columns in (("training", self.training), ("evaluation", self.evaluations)):
            if columns:
                frame = pandas.DataFrame(columns)
                frames[table] = frame.set_index("step") if "step" in columns else frame
        return frames

    def to_xarray(self) -> dict[str, Any]:
        """The same as Datasets with units, and "trajectory"."""
        xarray = require("xarray", "reading a run into xarray")
        sets: dict[str, Any] = {}
        if self.samples is not None:
            sets["samples"] = xarray.Dataset(
                {"position": (("particle", "dimension"), self.samples.position, {"units": PARTICLE_UNITS["position"]}),
                 **{name: ("particle", values, {"units": PARTICLE_UNITS[name]}) for name, values in self.samples.columns.items() if name != "id"}},
                coords={"particle": self.samples.id, "dimension": np.arange(1, self.samples.position.shape[1] + 1)})
            sets["samples"]["status"].attrs["names"] = ",".join(self.samples.status_names)
        if self.trajectory is not None:
            sets["trajectory"] = xarray.Dataset(
                {"coordinates": (("frame", "particle", "dimension"), self.trajectory.coordinates)},
                coords={"time": ("frame", self.trajectory.time), "step": ("frame", self.trajectory.step)})
        for table, columns in (("training", self.training), ("evaluation", self.evaluations)):
            if columns:
                coords = {"step": columns["step"]} if "step" in columns else {}
                sets[table] = xarray.Dataset({name: ("step", values, {"units": self.units.get(f"{table}/{name}", "1")})
                                              for name, values in columns.items() if name != "step"}, coords=coords)
        for dataset in sets.values():
            dataset.attrs.update({name: str(value) for name, value in self.provenance.items() if name in TEXTS})
        return sets


def text_of(value: Any) -> Any:
    """An attribute as Python's own type: text where HDF5 has bytes, numbers where it has arrays of one."""
    if isinstance(value, (bytes, np.bytes_)):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [text_of(entry) for entry in value]
    return value.item() if isinstance(value, np.generic) else value


def parse_options(text: str) -> dict[str, list[tuple[str, str]]]:
    """A resolved configuration, as the program writes it: sections of `key = value`, keys may repeat."""
    sections: dict[str, list[tuple[str, str]]] = {}
    section = ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif line and not line.startswith((";", "#")):
            key, _, value = line.partition("=")
            sections.setdefault(section, []).append((key.strip(), value.strip()))
    return sections


def columns_of(file: h5py.File, group: str, units: dict[str, str]) -> Columns:
    """The one-dimensional datasets of a group, by name; none if the group is absent."""
    found: Columns = {}
    for name, data in file.get(group, {}).items():
        if isinstance(data, h5py.Dataset) and data.ndim == 1:
            found[name] = data[()]
            units[f"{group}/{name}"] = text_of(data.attrs.get("unit", "1"))
    return found


def read_samples(file: h5py.File) -> Samples:
    group = file["samples"]
    position = group["position"][()]
    count = len(position)
    otherwise: dict[str, Any] = {"status": np.zeros(count, np.int32), "evaluations": np.zeros(count, np.int64), "id": np.arange(count),
                                 "action": None, "time": None, "island": None, "ancestor": None}
    columns: dict[str, Any] = {name: otherwise[name] if name in otherwise and name not in group else group[name][()]
                               for name in PARTICLE_UNITS if name != "position"}
    wrong = [f"{name} {values.shape}" for name, values in columns.items() if values is not None and values.shape != position.shape[:1]]
    if position.ndim != 2 or wrong:
        raise InputError(f"/samples: position {position.shape} and {', '.join(wrong)} should be [N][D] and [N]")
    status = columns["status"]
    names = tuple(text_of(group["status"].attrs["names"])) if "status" in group and "names" in group["status"].attrs else ()
    names = names or tuple(f"status {k}" for k in range(int(status.max(initial=0)) + 1))
    return Samples(position=position, status_names=names, complete=bool(file.attrs.get("complete", 1)), **columns)


def read_trajectory(file: h5py.File, particles: int | None) -> Trajectory | None:
    """The frames of the first `particles` particles (None: of all); None where fewer than two frames were written."""
    group = file.get("particles/trajectory", {})
    stored = group.get("coordinates") or group.get("position")
    if stored is None or stored["value"].shape[0] < 2:
        return None
    dimension = file["samples/position"].shape[1] if "samples/position" in file else stored["value"].shape[2]
    value = stored["value"]
    time = file["observables/curve_time/value"] if "observables/curve_time" in file else group["position/time"]
    return Trajectory(group["position/step"][()], time[()], value[:, :particles, :min(dimension, value.shape[2])], value.shape[1])


def parse_summary(text: str) -> dict[str, Any]:
    """Columns of a summary of parameters, by name: names as texts, all others numbers."""
    rows = list(csv.reader(text.splitlines()))
    if rows[:1] != [list(SUMMARY_COLUMNS)] or any(len(row) != len(SUMMARY_COLUMNS) for row in rows):
        raise InputError(f"expected rows of {','.join(SUMMARY_COLUMNS)} under a header")
    columns: dict[str, Any] = {}
    for k, name in enumerate(SUMMARY_COLUMNS):
        fields = [row[k] for row in rows[1:]]
        columns[name] = fields if name == "parameter" else np.array([float(field or "nan") for field in fields])
    return columns


def read_run(folder: str | pathlib.Path, frame_particles: int | None = FRAME_PARTICLES, with_samples: bool = True) -> Run:
    """Everything the folder holds. Throws InputError, naming the file, where one is broken or where there is none of a run at all."""
    folder = pathlib.Path(folder)
    if not any((folder / name).is_file() for name in (*WRITTEN_BY, "checkpoint.h5", "config.ini")):
        raise InputError(f"{folder} is no output folder of a run: it has none of {', '.join(WRITTEN_BY)}")
    samples = trajectory = None
    training: Columns = {}
    evaluations: Columns = {}
    time_bins: Columns = {}
    metrics: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    units: dict[str, str] = {}
    provenance: dict[str, Any] = {}
    name = ""
    try:
        for name in ("checkpoint.h5", "metrics.h5", "samples.h5md"):
            if not (folder / name).is_file():
                continue
            with h5py.File(folder / name, "r") as file:
                provenance.update({key: text_of(value) for key, value in file.attrs.items()})
                if name == "checkpoint.h5":
                    time_bins = columns_of(file, "time_bins", units)
                if name == "metrics.h5":
                    training, evaluations = columns_of(file, "training", units), columns_of(file, "evaluation", units)
                if name == "samples.h5md" and with_samples and "samples" in file:
                    samples, trajectory = read_samples(file), read_trajectory(file, frame_particles)
        name = "evaluation.json"
        if (folder / name).is_file():
            metrics = json.loads((folder / name).read_text())
            if not isinstance(metrics, dict):
                raise InputError("expected one object")
        name = "summary.csv"
        if (folder / name).is_file():
            summary = parse_summary((folder / name).read_text())
        name = "config.ini"
        configuration = folder / name
        text = configuration.read_text() if configuration.is_file() else str(provenance.get("options", ""))
    except (OSError, KeyError, ValueError, InputError) as error:
        raise InputError(f"{folder / name}: {error}") from error
    state = str(provenance.get("state", ""))
    return Run(folder, samples, trajectory, training, evaluations, metrics, units, provenance, parse_options(text), state, summary, time_bins)


def require_files(run: Run, *names: str) -> None:
    """Throws InputError where the folder lacks one of the files, saying which command writes it."""
    missing = [f"{name} (written by {WRITTEN_BY[name]})" for name in names if name in run.missing]
    if missing:
        raise InputError(f"{run.folder} lacks {'; '.join(missing)}")


def write_whole(path: pathlib.Path, data: bytes) -> None:
    """A file that is there is complete: written under another name first."""
    temporary = path.with_name(path.name + ".part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error

"""A sweep as a table: one row per run, with the parameters that vary and the metrics. From a CSV that was collected, or from the runs."""
from __future__ import annotations

import csv
import dataclasses
import pathlib
from typing import Any, Sequence

import numpy as np

from .errors import InputError
from .metrics import BY_NAME, value_of
from .progress import tracked
from .runs import Run, read_run

NAMES_OF_ROWS = ("id", "run", "row", "name", "folder", "output", "directory")
STATES = ("state", "status")
REMARKS = ("detail",)
COLLECTED = "sweep.csv"  # by boltzcurve sweep collect
EXTRA_METRICS = ("step", "loss", "mode_weight_error", "mode_weight_error_relative", "mode_weight_error_reweighted", "energy_distance_unbiased")
IGNORED = {"run.seed"}  # told apart from parameters: seeds repeat a run, they do not change its question


@dataclasses.dataclass(frozen=True)
class Sweep:
    source: pathlib.Path
    rows: list[dict[str, Any]]  # column -> number, text or None
    names: list[str]            # of the rows
    parameters: list[str]       # columns that vary and are no metric
    metrics: list[str]          # columns that are metrics and known in some row
    folders: list[pathlib.Path | None]
    states: list[str]
    details: list[str]          # why a row failed, was stopped or ended early, as the program said

    @property
    def name(self) -> str:
        """Of the sweep's folder, or of a table of another name."""
        place = self.source.resolve()
        return place.name if place.is_dir() else place.parent.name if place.name == COLLECTED else place.stem

    def values(self, column: str) -> list[Any]:
        return [row.get(column) for row in self.rows]

    def numbers(self, column: str) -> np.ndarray:
        """[rows], NaN where there is no number."""
        return np.array([value if isinstance(value, float) else np.nan for value in self.values(column)])


def cell_of(text: str | None) -> Any:
    """A number where it is one, else the text; None where it is empty."""
    if text is None or text.strip() == "" or text.strip().lower() in ("nan", "null", "none"):
        return None
    try:
        return float(text)
    except ValueError:
        return text.strip()


def is_metric(column: str) -> bool:
    return column in BY_NAME or column in EXTRA_METRICS


def sweep_of(source: pathlib.Path, rows: list[dict[str, Any]], names: list[str], folders: list[pathlib.Path | None], states: list[str],
             details: list[str] | None = None) -> Sweep:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    known = {column: [row.get(column) for row in rows] for column in columns}
    metrics = [column for column in columns if is_metric(column) and any(isinstance(value, float) for value in known[column])]
    parameters = [column for column in columns
                  if not is_metric(column) and column not in (*NAMES_OF_ROWS, *STATES, *REMARKS) and len({str(value) for value in known[column]}) > 1]
    return Sweep(source, rows, names, parameters, metrics, folders, states, details or [""] * len(rows))


def read_csv(path: pathlib.Path) -> Sweep:
    try:
        with path.open(newline="") as file:
            table = list(csv.DictReader(line for line in file if not line.startswith("#")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: {error}") from error
    if not table:
        raise InputError(f"{path}: no rows; boltzcurve sweep collect writes a table with a row per run")
    if any(None in row for row in table):
        raise InputError(f"{path}: a row has more entries than the header has names")
    rows = [{column: cell_of(text) for column, text in row.items()} for row in table]
    first = next((column for column in NAMES_OF_ROWS if column in rows[0]), None)
    names = [str(table[i][first]) if first else str(i + 1) for i in range(len(rows))]
    place = next((column for column in ("output", "folder", "directory") if column in rows[0]), None)
    folders: list[pathlib.Path | None] = []
    for row in rows:
        where = path.parent / str(row[place]) if place and row[place] is not None else None
        folders.append(where if where is not None and where.is_dir() else None)
    state = next((column for column in STATES if column in rows[0]), None)
    states = [str(row[state]) if state and row[state] is not None else "" for row in rows]
    details = [str(row.get("detail") or "") for row in table]
    sweep = sweep_of(path, rows, names, folders, states, details)
    if not sweep.metrics:
        raise InputError(f"{path}: no column is a metric with a number in it; known are ess, log_z, nll, energy_distance and so on")
    return sweep


def row_of(run: Run) -> dict[str, Any]:
    row: dict[str, Any] = {f"{section}.{key}": cell_of(value) for section, entries in run.options.items() for key, value in entries}
    row.update({name: value_of(run.metrics, name) for name in BY_NAME})
    return row


def folders_below(root: pathlib.Path) -> list[pathlib.Path]:
    """Output folders of runs up to three levels below."""
    found = {path.parent for depth in ("*", "*/*", "*/*/*") for name in ("evaluation.json", "metrics.h5") for path in root.glob(f"{depth}/{name}")}
    return sorted(found)


def read_sweep(source: pathlib.Path) -> Sweep:
    """From a CSV, from the collected CSV of a folder, or from the runs below a folder. Throws InputError where there is none of these."""
    if source.is_file():
        return read_csv(source)
    if not source.is_dir():
        raise InputError(f"{source} does not exist")
    for path in sorted(source.glob("*.csv")):
        try:
            return read_csv(path)
        except InputError:
            continue  # another table, such as the modes of a target
    folders = folders_below(source)
    if not folders:
        raise InputError(f"{source} is neither a run nor a sweep: no evaluation.json, no metrics.h5, and no run up to three levels below")
    runs = [read_run_of_sweep(folder) for folder in tracked(folders, "reading runs")]
    return sweep_of(source, [row_of(run) for run in runs], [str(run.folder.relative_to(source)) for run in runs], list(folders),
                    [run.state for run in runs])


def read_run_of_sweep(folder: pathlib.Path) -> Run:
    """A run without its samples, which a table does not need; a broken one counts as a run that has nothing to show."""
    try:
        return read_run(folder, frame_particles=1, with_samples=False)
    except InputError as error:
        return Run(folder, None, None, {}, {}, {}, {}, {}, {}, f"unreadable: {error}")


def levels_of(values: Sequence[Any]) -> list[Any]:
    """The different values in order, numbers first."""
    different = {value for value in values if value is not None}
    return sorted(different, key=lambda value: (not isinstance(value, float), value if isinstance(value, float) else 0.0, str(value)))

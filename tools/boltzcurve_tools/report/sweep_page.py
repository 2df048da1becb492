"""The report of a sweep."""
from __future__ import annotations

from functools import partial

import numpy as np

from .. import __version__
from ..draw.style import number
from ..draw.sweeps import best_rows, default_pair, make_heat_map, make_parallel_coordinates, make_scatter, title_of
from ..metrics import BY_NAME
from ..progress import tracked
from ..sweeps import Sweep, levels_of
from .html import escape, figure_of, page, section, table_of
from .run_page import DASH, tile

SHOWN_METRICS = ("ess", "ess_forward", "log_z", "nll", "energy_distance", "seconds_train")
MOST_SCATTERS = 6
MOST_LISTED = 40
FAULTS = ("fail", "diverg", "unreadable", "killed", "timeout", "error")
WORK_IN_PROGRESS = ("pending", "running", "stopped", "ended")  # no result, and no fault: still to come, or not wanted


def level_of(sweep: Sweep, k: int, metric: str) -> str:
    """Of a row: "bad" for a fault, "note" for one that has no result for good reason, "" for one with a result."""
    state = sweep.states[k].lower()
    if any(word in state for word in FAULTS):
        return "bad"
    if np.isfinite(sweep.numbers(metric)[k]):
        return ""
    return "note" if any(word in state for word in WORK_IN_PROGRESS) else "bad"


def value_text(value: object) -> str:
    return escape(number(value) if isinstance(value, float) else DASH if value is None else value)


def settings_of(sweep: Sweep, k: int) -> str:
    return ", ".join(f"{escape(name)} = {value_text(sweep.rows[k].get(name))}" for name in sweep.parameters)


def table_of_rows(sweep: Sweep, metric: str) -> str:
    metrics = [name for name in SHOWN_METRICS if name in sweep.metrics] or sweep.metrics[:6]
    metrics = [metric, *(name for name in metrics if name != metric)]
    best, rows, classes = best_rows(sweep, metric), [], []
    for k, row in enumerate(sweep.rows):
        folder = sweep.folders[k]
        name = escape(sweep.names[k])
        root = sweep.source if sweep.source.is_dir() else sweep.source.parent
        if folder is not None and (folder / "report.html").is_file():
            name = f'<a href="{escape(folder.relative_to(root))}/report.html">{name}</a>'
        state = f'<span title="{escape(sweep.details[k])}">{escape(sweep.states[k])}</span>' if sweep.details[k] else escape(sweep.states[k])
        rows.append((name, *([state] if any(sweep.states) else []), *(value_text(row.get(column)) for column in (*sweep.parameters, *metrics))))
        classes.append("best" if best[k] else level_of(sweep, k, metric))
    head = ("run", *(["state"] if any(sweep.states) else []), *(escape(name).replace(".", ".<wbr>") for name in sweep.parameters), *(escape(title_of(name).replace("  ", " ")) for name in metrics))
    return table_of(head, rows, "sortable numbers", classes)


def tiles_of(sweep: Sweep, metric: str) -> str:
    values, title = sweep.numbers(metric), escape(title_of(metric).split("  ")[0])
    finite, best = values[np.isfinite(values)], best_rows(sweep, metric)
    levels = [level_of(sweep, k, metric) for k in range(len(sweep.rows))]
    states = [(sweep.states[k] or "no result").replace("-", " ") for k in range(len(sweep.rows)) if levels[k]]
    counts = ", ".join(f"{states.count(state)} {escape(state)}" for state in dict.fromkeys(states))
    made = [tile("runs", str(len(sweep.rows)), f"{len(finite)} with {title}"), tile("without result", str(len(states)), counts or "none")]
    if best.any():
        at = int(np.flatnonzero(best)[0])
        made.append(tile(f"best {title}", number(float(values[at])), f"run {escape(sweep.names[at])}: {settings_of(sweep, at)}"))
    if len(finite):
        made.append(tile(f"median {title}", number(float(np.median(finite))), f"from {number(float(finite.min()))} to {number(float(finite.max()))}"))
    made.append(tile("varied", str(len(sweep.parameters)), escape(", ".join(sweep.parameters[:4])) + ("\u2026" if len(sweep.parameters) > 4 else "") or "nothing"))
    return f"<div class=tiles>{''.join(made)}</div>"


def pictures_of(sweep: Sweep, metric: str) -> str:
    jobs: list[tuple[str, partial, bool]] = [("parallel", partial(make_parallel_coordinates, sweep, metric), True)] if sweep.parameters else []
    pair = default_pair(sweep)
    if pair is not None:
        jobs.append(("heatmap", partial(make_heat_map, sweep, metric, *pair), False))
    for k, parameter in enumerate(sweep.parameters[:MOST_SCATTERS]):
        if len(levels_of(sweep.values(parameter))) > 1:
            jobs.append((f"scatter{k}", partial(make_scatter, sweep, metric, parameter), False))
    made = []
    for name, make, wide in tracked(jobs, "pictures"):
        figure, caption = make()
        made.append(figure_of(figure, caption, name, wide))
    return f"<div class=pictures>{''.join(made)}</div>" if made else ""


def without_result(sweep: Sweep, metric: str) -> str:
    """Faults first, then what is still to come or was not wanted; each with what the program said of it."""
    listed = []
    for level in ("bad", "note"):
        members = [k for k in range(len(sweep.rows)) if level_of(sweep, k, metric) == level]
        for k in members[:MOST_LISTED]:
            detail = f": {escape(sweep.details[k])}" if sweep.details[k] else ""
            listed.append(f'<div class="finding {level}"><p><b>{escape(sweep.names[k])}</b> {escape(sweep.states[k].replace("-", " ") or "no result")}{detail}</p>'
                          f'<p class=try>{settings_of(sweep, k)}</p></div>')
        if len(members) > MOST_LISTED:
            listed.append(f'<div class="finding {level}"><p>and {len(members) - MOST_LISTED} more, see the table</p></div>')
    return "".join(listed)


def sweep_report(sweep: Sweep, metric: str | None = None) -> str:
    """The page of a sweep; `metric` is what it is about."""
    metric = metric or ("ess" if "ess" in sweep.metrics else sweep.metrics[0] if sweep.metrics else "ess")
    name = sweep.name
    header = (f"<header><h1>{escape(name)} <span class=of>sweep of {len(sweep.rows)} runs</span></h1>"
              f"<p class=under><span>by {escape(title_of(metric))}</span></p></header>")
    sections = [section("result", "Result", tiles_of(sweep, metric)), section("pictures", "Pictures", pictures_of(sweep, metric)),
                section("without", "Without result", without_result(sweep, metric)), section("runs", "Runs", table_of_rows(sweep, metric))]
    return page(f"sweep {name}", header, [text for text in sections if text], f"boltzcurve-tools {__version__}; click a column to sort")

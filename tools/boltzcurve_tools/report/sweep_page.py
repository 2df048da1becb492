"""The report of a sweep."""
from __future__ import annotations

from functools import partial

import numpy as np

from .. import __version__
from ..draw.style import number
from ..draw.sweeps import best_of, default_pair, make_heat_map, make_parallel_coordinates, make_scatter, title_of
from ..metrics import BY_NAME
from ..progress import tracked
from ..sweeps import Sweep, levels_of
from .html import escape, figure_of, page, section, table_of
from .run_page import tile

SHOWN_METRICS = ("ess", "ess_forward", "log_z", "nll", "energy_distance", "seconds_train")
MOST_SCATTERS = 6
FAULTS = ("fail", "diverg", "unreadable", "killed", "timeout", "error")


def is_fault(sweep: Sweep, k: int, metric: str) -> bool:
    state = sweep.states[k].lower()
    return any(word in state for word in FAULTS) or not np.isfinite(sweep.numbers(metric)[k])


def table_of_rows(sweep: Sweep, metric: str) -> str:
    metrics = [name for name in SHOWN_METRICS if name in sweep.metrics] or sweep.metrics[:6]
    best, values = best_of(sweep, metric), sweep.numbers(metric)
    rows, classes = [], []
    for k, row in enumerate(sweep.rows):
        folder = sweep.folders[k]
        name = escape(sweep.names[k])
        if folder is not None and (folder / "report.html").is_file() and sweep.source.is_dir():
            name = f'<a href="{escape(folder.relative_to(sweep.source))}/report.html">{name}</a>'
        cells = [number(row.get(column)) if isinstance(row.get(column), float) else escape(row.get(column) or "\u2013")
                 for column in (*sweep.parameters, *metrics)]
        rows.append((name, *cells, escape(sweep.states[k])))
        directed = metric in BY_NAME and BY_NAME[metric].better != ""
        classes.append("bad" if is_fault(sweep, k, metric) else "best" if directed and best is not None and values[k] == best else "")
    head = ("run", *(escape(name) for name in sweep.parameters), *(escape(title_of(name).split("  ")[0]) for name in metrics), "state")
    return table_of(head, rows, "sortable numbers", classes)


def tiles_of(sweep: Sweep, metric: str) -> str:
    values = sweep.numbers(metric)
    finite = values[np.isfinite(values)]
    faults = [k for k in range(len(sweep.rows)) if is_fault(sweep, k, metric)]
    made = [tile("runs", str(len(sweep.rows)), f"{len(finite)} with {escape(title_of(metric).split('  ')[0])}"),
            tile("without result", str(len(faults)), escape(", ".join(sweep.names[k] for k in faults[:3])) + ("\u2026" if len(faults) > 3 else "") or "none")]
    best = best_of(sweep, metric)
    if best is not None:
        at = int(np.flatnonzero(values == best)[0]) if (values == best).any() else None
        made.append(tile(f"best {escape(title_of(metric).split('  ')[0])}", number(best), escape(sweep.names[at]) if at is not None else "median of all"))
        made.append(tile("median", number(float(np.median(finite))), f"worst {number(float(finite.min() if best == finite.max() else finite.max()))}"))
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


def faults_of(sweep: Sweep, metric: str) -> str:
    listed = [f'<div class="finding bad"><p><b>{escape(sweep.names[k])}.</b> {escape(sweep.states[k] or "no result")}: '
              + ", ".join(f"{escape(name)} = {escape(number(sweep.rows[k][name]) if isinstance(sweep.rows[k].get(name), float) else sweep.rows[k].get(name))}"
                          for name in sweep.parameters) + "</p></div>" for k in range(len(sweep.rows)) if is_fault(sweep, k, metric)]
    return "".join(listed)


def sweep_report(sweep: Sweep, metric: str | None = None) -> str:
    """The page of a sweep; `metric` is what it is about."""
    metric = metric or ("ess" if "ess" in sweep.metrics else sweep.metrics[0] if sweep.metrics else "ess")
    name = sweep.source.resolve().name
    header = (f"<header><h1>{escape(name)} <span class=of>sweep of {len(sweep.rows)} runs</span></h1>"
              f"<p class=under><span>by {escape(title_of(metric))}</span></p></header>")
    sections = [section("result", "Result", tiles_of(sweep, metric)), section("faults", "Without result", faults_of(sweep, metric)),
                section("pictures", "Pictures", pictures_of(sweep, metric)), section("runs", "Runs", table_of_rows(sweep, metric))]
    return page(f"sweep {name}", header, [text for text in sections if text], f"boltzcurve-tools {__version__}; click a column to sort")

"""Pictures of a sweep: heat maps over two parameters, parallel coordinates over any number, a metric over one."""
from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from ..errors import UsageError
from ..metrics import BY_NAME
from ..sweeps import Sweep, levels_of
from .style import BLUE, GREY, INK, PALE, PARAMETERS, RED, Caption, number, plt

MOST_AXES = 10  # of parallel coordinates
MOST_TICKS = 7
LEAST_FILLED = 0.3  # of the cells of a heat map; emptier ones, as of random draws, are shown as points


def title_of(metric: str) -> str:
    known = BY_NAME.get(metric)
    return f"{known.title}  [{known.unit}]" if known and known.unit != "1" else known.title if known else metric.replace("_", " ")


def require_column(sweep: Sweep, column: str, among: list[str], what: str) -> None:
    if column not in among:
        raise UsageError(f"{sweep.source} has no {what} {column}; it has {', '.join(among) or 'none'}")


def round_ticks(low: float, high: float, is_logarithmic: bool) -> list[float]:
    """Round numbers between two bounds: 1, 2 and 5 of every decade or the powers of ten alone, or multiples of one step."""
    if not is_logarithmic:
        return [float(tick) for tick in MaxNLocator(5).tick_values(low, high) if low <= tick <= high]
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    fine, coarse = ([first * 10.0**decade for decade in decades for first in firsts if low <= first * 10.0**decade <= high]
                    for firsts in ((1, 2, 5), (1,)))
    return fine if len(fine) <= MOST_TICKS else coarse


def position_of(sweep: Sweep, column: str) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Where the rows stand on an axis from 0 to 1, and its ticks: all values where they are few and apart, else round numbers. Logarithmic
    where the values span more than a factor 30."""
    values = sweep.values(column)
    levels = levels_of(values)
    if all(isinstance(level, float) for level in levels) and len(levels) > 1:
        is_logarithmic = min(levels) > 0 and max(levels) / min(levels) > 30
        scale = np.log if is_logarithmic else np.asarray
        low, high = scale(min(levels)), scale(max(levels))

        def place_of(numbers: Any) -> Any:
            return (scale(numbers) - low) / (high - low)

        shown = levels
        if len(levels) > MOST_TICKS or np.diff(place_of(np.array(levels))).min() < 0.04:
            shown = round_ticks(levels[0], levels[-1], is_logarithmic)
        return place_of(sweep.numbers(column)), [(float(place_of(level)), f"{level:.4g}") for level in shown]
    place = {str(level): i / max(1, len(levels) - 1) for i, level in enumerate(levels)}
    return np.array([place.get(str(value), np.nan) for value in values]), [(place[str(level)], str(level)) for level in levels[:12]]


def default_pair(sweep: Sweep) -> tuple[str, str] | None:
    """The two parameters with the most levels of at most 40; None where fewer than two vary."""
    sizes = [(len(levels_of(sweep.values(name))), name) for name in sweep.parameters if name != "run.seed"]
    chosen = [name for size, name in sorted(sizes, key=lambda item: -item[0]) if 2 <= size <= 40][:2]
    return (chosen[0], chosen[1]) if len(chosen) == 2 else None


def cells_of(sweep: Sweep, across: str, up: str) -> dict[tuple[int, int], list[int]]:
    """The rows of the sweep in each cell (row, column) of a table of two parameters."""
    columns, rows = ({level: k for k, level in enumerate(levels_of(sweep.values(name)))} for name in (across, up))
    cells: dict[tuple[int, int], list[int]] = {}
    for k, row in enumerate(sweep.rows):
        if row.get(across) in columns and row.get(up) in rows:
            cells.setdefault((rows[row[up]], columns[row[across]]), []).append(k)
    return cells


def make_heat_map(sweep: Sweep, metric: str, across: str, up: str) -> tuple[plt.Figure, Caption]:
    """The median of a metric over all rows that share two parameters; a point for each row where hardly any do."""
    require_column(sweep, metric, sweep.metrics, "metric")
    for parameter in (across, up):
        require_column(sweep, parameter, sweep.parameters, "varied parameter")
    columns, rows = levels_of(sweep.values(across)), levels_of(sweep.values(up))
    cells = cells_of(sweep, across, up)
    if len(cells) < LEAST_FILLED * len(columns) * len(rows):
        return make_plane(sweep, metric, across, up)
    values, grid, most = sweep.numbers(metric), np.full((len(rows), len(columns)), np.nan), 0
    for cell, members in cells.items():
        known = values[members][np.isfinite(values[members])]
        most = max(most, len(known))
        if len(known):
            grid[cell] = np.median(known)
    with plt.rc_context(PARAMETERS):
        figure, axes = plt.subplots(figsize=(max(4.6, 1.4 + 0.75 * len(columns)), max(3.2, 1.2 + 0.5 * len(rows))), layout="constrained")
        mesh = axes.pcolormesh(np.arange(len(columns) + 1), np.arange(len(rows) + 1), np.ma.masked_invalid(grid), cmap="viridis", edgecolors="none")
        bar = figure.colorbar(mesh, ax=axes, label=title_of(metric))
        bar.outline.set_visible(False)
        middle = np.nanmean([np.nanmin(grid), np.nanmax(grid)]) if np.isfinite(grid).any() else 0.0
        for (i, j), members in cells.items() if len(columns) <= 14 else ():
            known = bool(np.isfinite(grid[i, j]))
            text = f"{grid[i, j]:.3g}" if known else "\n".join(sorted({sweep.states[k] or "no result" for k in members})).replace("-", " ")
            axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", fontsize=7.5,
                      color=GREY if not known else "white" if grid[i, j] < middle else "black")
        axes.set(xlabel=across, ylabel=up, xticks=np.arange(len(columns)) + 0.5, yticks=np.arange(len(rows)) + 0.5)
        axes.set_xticklabels([f"{c:.4g}" if isinstance(c, float) else c for c in columns], rotation=90 if len(columns) > 8 else 0)
        axes.set_yticklabels([f"{r:.4g}" if isinstance(r, float) else r for r in rows])
        axes.spines[:].set_visible(False)
    several = f"median of up to {most} runs a cell" if most > 1 else "a run a cell"
    return figure, Caption(f"{title_of(metric)} over {across} and {up}", several)


def place_axis(axis: Any, name: str, ticks: list[tuple[float, str]]) -> None:
    axis.set_label_text(name)
    axis.set_ticks([at for at, _ in ticks], labels=[text for _, text in ticks])


def make_plane(sweep: Sweep, metric: str, across: str, up: str) -> tuple[plt.Figure, Caption]:
    """A point for each row in the plane of two parameters, colored by a metric; a cross where there is none; a ring around the best."""
    (x, x_ticks), (y, y_ticks) = position_of(sweep, across), position_of(sweep, up)
    values = sweep.numbers(metric)
    known, best = np.isfinite(values), best_rows(sweep, metric)
    with plt.rc_context(PARAMETERS):
        figure, axes = plt.subplots(figsize=(5.4, 4.2), layout="constrained")
        dots = axes.scatter(x[known], y[known], c=values[known], s=60, cmap="viridis", linewidths=0)
        axes.scatter(x[~known], y[~known], marker="x", s=22, color=GREY, linewidths=0.9)
        axes.scatter(x[best], y[best], s=150, facecolors="none", edgecolors=RED, linewidths=1.2)
        bar = figure.colorbar(dots, ax=axes, label=title_of(metric))
        bar.outline.set_visible(False)
        place_axis(axes.xaxis, across, x_ticks)
        place_axis(axes.yaxis, up, y_ticks)
    return figure, Caption(f"{title_of(metric)} over {across} and {up}", f"{int(known.sum())} runs"
                           + ("; ring: best" if best.any() else "") + (f"; crosses: {int((~known).sum())} without it" if not known.all() else ""))


def make_parallel_coordinates(sweep: Sweep, metric: str) -> tuple[plt.Figure, Caption]:
    """A line per run through all varied parameters to the metric, which colors it."""
    require_column(sweep, metric, sweep.metrics, "metric")
    names = [*sweep.parameters[:MOST_AXES - 1], metric]
    places = [position_of(sweep, name) for name in names]
    values = sweep.numbers(metric)
    finite = np.isfinite(values)
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 1.0)
    with plt.rc_context(PARAMETERS):
        figure, axes = plt.subplots(figsize=(max(5.5, 1.5 * len(names)), 4.4), layout="constrained")
        colors = plt.get_cmap("viridis")
        shake = np.linspace(-0.012, 0.012, max(1, len(sweep.rows)))  # lines of equal values would hide each other
        for k in np.argsort(np.where(finite, values, -np.inf)):
            heights = np.array([place[k] for place, _ in places])
            if len(names) > 1:
                heights[:-1] += shake[k]
            share = (values[k] - low) / (high - low) if finite[k] and high > low else 0.5
            axes.plot(range(len(names)), heights, color=colors(share) if finite[k] else GREY, alpha=0.85 if finite[k] else 0.4, linewidth=1.3,
                      linestyle="-" if finite[k] else ":")
        for x, (_, ticks) in enumerate(places):
            axes.axvline(x, color=PALE, linewidth=0.8)
            for height, text in ticks:
                axes.text(x + 0.03, height, text, fontsize=7, color=INK, va="center")
        axes.set(xlim=(-0.15, len(names) - 0.6), ylim=(-0.06, 1.06), yticks=[], xticks=range(len(names)))
        axes.set_xticklabels([*(name.replace(".", ".\n") for name in names[:-1]), title_of(metric).replace("  ", "\n")], fontsize=8)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    left_out = len(sweep.parameters) - (len(names) - 1)
    failed = int((~finite).sum())
    return figure, Caption("All runs", f"{len(sweep.rows)} lines, colored by {title_of(metric)}"
                           + (f"; dotted: {failed} without it" if failed else "") + (f"; {left_out} more parameters vary" if left_out else ""))


def make_scatter(sweep: Sweep, metric: str, across: str) -> tuple[plt.Figure, Caption]:
    """A metric over one parameter: a dot per run, a line through the medians where runs share values, a cross below for runs without it."""
    require_column(sweep, metric, sweep.metrics, "metric")
    require_column(sweep, across, sweep.parameters, "varied parameter")
    place, ticks = position_of(sweep, across)
    values = sweep.numbers(metric)
    with plt.rc_context(PARAMETERS):
        figure, axes = plt.subplots(figsize=(4.6, 3.4), layout="constrained")
        good, without = np.isfinite(place) & np.isfinite(values), np.isfinite(place) & ~np.isfinite(values)
        axes.scatter(place[good], values[good], s=22, color=BLUE, alpha=0.7, linewidths=0)
        axes.scatter(place[without], np.full(int(without.sum()), 0.02), marker="x", s=16, color=GREY, linewidths=0.8, transform=axes.get_xaxis_transform())
        levels, best = np.unique(place[good]), best_of(sweep, metric)
        shared = 1 < len(levels) <= good.sum() / 2
        if shared:
            axes.plot(levels, [np.median(values[good & (place == level)]) for level in levels], color=INK, linewidth=1)
        place_axis(axes.xaxis, across, ticks)
        axes.set(ylabel=title_of(metric))
        axes.margins(y=0.1)
    return figure, Caption(f"{title_of(metric)} over {across}", f"{int(good.sum())} runs" + ("; line: median" if shared else "")
                           + (f"; best {number(best)}" if best is not None else "") + (f"; crosses: {int(without.sum())} without it" if without.any() else ""))


def merit_of(sweep: Sweep, metric: str) -> np.ndarray | None:
    """[rows], the more the better, NaN without the metric; None where nothing says what is good. What has a bound is good when close to it."""
    values, known = sweep.numbers(metric), BY_NAME.get(metric)
    if known is None or not (known.better or known.bound):
        return None
    merit = values if known.better == "more" else -values if known.better == "less" else -np.abs(values - sweep.numbers(known.bound))
    return merit if np.isfinite(merit).any() else None


def best_rows(sweep: Sweep, metric: str) -> np.ndarray:
    """[rows], which are the best; none where nothing says what is good."""
    merit = merit_of(sweep, metric)
    return np.zeros(len(sweep.rows), bool) if merit is None else merit == np.nanmax(merit)


def best_of(sweep: Sweep, metric: str) -> float | None:
    """The metric of the best row."""
    best = best_rows(sweep, metric)
    return float(sweep.numbers(metric)[best][0]) if best.any() else None

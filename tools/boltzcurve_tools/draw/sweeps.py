"""Pictures of a sweep: heat maps over two parameters, parallel coordinates over any number, a metric over one."""
from __future__ import annotations

import numpy as np

from ..errors import UsageError
from ..metrics import BY_NAME
from ..sweeps import Sweep, levels_of
from .style import BLUE, GREY, INK, PALE, PARAMETERS, Caption, number, plt

MOST_AXES = 10  # of parallel coordinates


def title_of(metric: str) -> str:
    known = BY_NAME.get(metric)
    return f"{known.title}  [{known.unit}]" if known and known.unit != "1" else known.title if known else metric.replace("_", " ")


def require_column(sweep: Sweep, column: str, among: list[str], what: str) -> None:
    if column not in among:
        raise UsageError(f"{sweep.source} has no {what} {column}; it has {', '.join(among) or 'none'}")


def position_of(sweep: Sweep, column: str) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Where the rows stand on an axis from 0 to 1, and its ticks. Logarithmic where the values span more than a factor 30."""
    values = sweep.values(column)
    levels = levels_of(values)
    if all(isinstance(level, float) for level in levels) and len(levels) > 1:
        numbers = sweep.numbers(column)
        logarithmic = min(levels) > 0 and max(levels) / min(levels) > 30
        scale = np.log if logarithmic else np.asarray
        low, high = scale(min(levels)), scale(max(levels))
        shown = levels if len(levels) <= 6 else [levels[0], levels[-1]] if logarithmic else list(np.linspace(levels[0], levels[-1], 4))
        return (scale(numbers) - low) / (high - low), [(float((scale(level) - low) / (high - low)), f"{level:.4g}") for level in shown]
    place = {str(level): i / max(1, len(levels) - 1) for i, level in enumerate(levels)}
    return np.array([place.get(str(value), np.nan) for value in values]), [(place[str(level)], str(level)) for level in levels[:12]]


def default_pair(sweep: Sweep) -> tuple[str, str] | None:
    """The two parameters with the most levels of at most 40; None where fewer than two vary."""
    sizes = [(len(levels_of(sweep.values(name))), name) for name in sweep.parameters if name != "run.seed"]
    chosen = [name for size, name in sorted(sizes, key=lambda item: -item[0]) if 2 <= size <= 40][:2]
    return (chosen[0], chosen[1]) if len(chosen) == 2 else None


def make_heat_map(sweep: Sweep, metric: str, across: str, up: str) -> tuple[plt.Figure, Caption]:
    """The median of a metric over all rows that share two parameters."""
    require_column(sweep, metric, sweep.metrics, "metric")
    for parameter in (across, up):
        require_column(sweep, parameter, sweep.parameters, "varied parameter")
    columns, rows = levels_of(sweep.values(across)), levels_of(sweep.values(up))
    values, grid, counts = sweep.numbers(metric), np.full((len(rows), len(columns)), np.nan), np.zeros((len(rows), len(columns)), int)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            here = np.array([r.get(across) == column and r.get(up) == row for r in sweep.rows]) & np.isfinite(values)
            counts[i, j] = here.sum()
            if here.any():
                grid[i, j] = np.median(values[here])
    with plt.rc_context(PARAMETERS):
        figure, axes = plt.subplots(figsize=(max(4.6, 1.4 + 0.75 * len(columns)), max(3.2, 1.2 + 0.5 * len(rows))), layout="constrained")
        mesh = axes.pcolormesh(np.arange(len(columns) + 1), np.arange(len(rows) + 1), np.ma.masked_invalid(grid), cmap="viridis", edgecolors="none")
        bar = figure.colorbar(mesh, ax=axes, label=title_of(metric))
        bar.outline.set_visible(False)
        middle = np.nanmean([np.nanmin(grid), np.nanmax(grid)]) if np.isfinite(grid).any() else 0.0
        for (i, j), value in np.ndenumerate(grid):
            if len(columns) <= 14:
                text = f"{value:.3g}" if np.isfinite(value) else "failed" if counts[i, j] == 0 else ""
                axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", fontsize=7.5,
                          color=GREY if not np.isfinite(value) else "white" if value < middle else "black")
        axes.set(xlabel=across, ylabel=up, xticks=np.arange(len(columns)) + 0.5, yticks=np.arange(len(rows)) + 0.5)
        axes.set_xticklabels([f"{c:g}" if isinstance(c, float) else c for c in columns])
        axes.set_yticklabels([f"{r:g}" if isinstance(r, float) else r for r in rows])
        axes.spines[:].set_visible(False)
    several = f"median of up to {counts.max()} runs a cell" if counts.max() > 1 else "a run a cell"
    return figure, Caption(f"{title_of(metric)} over {across} and {up}", several)


def make_parallel_coordinates(sweep: Sweep, metric: str) -> tuple[plt.Figure, Caption]:
    """A line per run through all varied parameters to the metric, which colours it."""
    require_column(sweep, metric, sweep.metrics, "metric")
    names = [*sweep.parameters[:MOST_AXES - 1], metric]
    places = [position_of(sweep, name) for name in names]
    values = sweep.numbers(metric)
    finite = np.isfinite(values)
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 1.0)
    with plt.rc_context(PARAMETERS):
        figure, axes = plt.subplots(figsize=(max(5.5, 1.5 * len(names)), 4.4), layout="constrained")
        colours = plt.get_cmap("viridis")
        shake = np.linspace(-0.012, 0.012, max(1, len(sweep.rows)))  # lines of equal values would hide each other
        for k in np.argsort(np.where(finite, values, -np.inf)):
            heights = np.array([place[k] for place, _ in places])
            if len(names) > 1:
                heights[:-1] += shake[k]
            share = (values[k] - low) / (high - low) if finite[k] and high > low else 0.5
            axes.plot(range(len(names)), heights, color=colours(share) if finite[k] else GREY, alpha=0.85 if finite[k] else 0.4, linewidth=1.3,
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
    return figure, Caption("All runs", f"{len(sweep.rows)} lines, coloured by {title_of(metric)}"
                           + (f"; dotted: {failed} without it" if failed else "") + (f"; {left_out} more parameters vary" if left_out else ""))


def make_scatter(sweep: Sweep, metric: str, across: str) -> tuple[plt.Figure, Caption]:
    """A metric over one parameter, a dot per run, a line through the medians."""
    require_column(sweep, metric, sweep.metrics, "metric")
    require_column(sweep, across, sweep.parameters, "varied parameter")
    place, ticks = position_of(sweep, across)
    values = sweep.numbers(metric)
    with plt.rc_context(PARAMETERS):
        figure, axes = plt.subplots(figsize=(4.6, 3.4), layout="constrained")
        good = np.isfinite(place) & np.isfinite(values)
        axes.scatter(place[good], values[good], s=16, color=BLUE, alpha=0.6, linewidths=0)
        levels = np.unique(place[good])
        if len(levels) > 1:
            axes.plot(levels, [np.median(values[good & (place == level)]) for level in levels], color=INK, linewidth=1)
        axes.set(xlabel=across, ylabel=title_of(metric), xticks=[at for at, _ in ticks])
        axes.set_xticklabels([text for _, text in ticks])
    return figure, Caption(f"{title_of(metric)} over {across}", f"{int(good.sum())} runs; line: median; best {number(best_of(sweep, metric))}")


def best_of(sweep: Sweep, metric: str) -> float | None:
    """The best value where a direction is known, else the median."""
    values = sweep.numbers(metric)
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    better = BY_NAME[metric].better if metric in BY_NAME else ""
    return float(values.max() if better == "more" else values.min() if better == "less" else np.median(values))

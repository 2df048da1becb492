"""Marginals of the parameters by name, alone and in pairs, as the weights have them."""
from __future__ import annotations

import numpy as np

from ..export import resampled
from ..runs import Run
from .samples import smoothed, usable_samples
from .style import BLUE, DENSITY_COLOURS, INK, PARAMETERS, Caption, axis_name, count, plt, view_of

MOST_PARAMETERS = 6  # of a picture that can still be read
MASS_INSIDE = (0.5, 0.9)


def levels_of(histogram: np.ndarray) -> list[float]:
    """Heights above which the bins hold these shares of the mass, from low to high, each once."""
    heights = np.sort(histogram, axis=None)[::-1]
    held = np.cumsum(heights) / heights.sum()
    return sorted({float(heights[np.searchsorted(held, mass)]) for mass in MASS_INSIDE})


def make_corner(run: Run) -> tuple[plt.Figure, Caption] | None:
    """None in one dimension, where `samples` shows all."""
    samples, position, _, log_weight = usable_samples(run)
    dimension = position.shape[1]
    if dimension < 2:
        return None
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    shown = min(dimension, MOST_PARAMETERS)
    names = run.names or [axis_name(d, with_unit=False) for d in range(dimension)]
    views = [view_of(of_weight) for of_weight in samples.position[resampled(samples), :shown].T]
    bins = int(np.clip(len(weight) ** 0.4, 12, 60))
    with plt.rc_context({**PARAMETERS, "xtick.labelsize": 7, "ytick.labelsize": 7}):
        figure, places = plt.subplots(shown, shown, figsize=(1.0 + 1.5 * shown, 0.9 + 1.4 * shown), layout="constrained", sharex="col")
        for row in range(shown):
            for column in range(shown):
                axes = places[row, column]
                if column > row:
                    axes.set_visible(False)
                    continue
                if row == column:
                    axes.hist(position[:, row], bins=bins, range=views[row], weights=weight, color=BLUE, alpha=0.5)
                    axes.set_yticks([])
                else:
                    mass, x_edges, y_edges = np.histogram2d(position[:, column], position[:, row], bins=bins, range=[views[column], views[row]], weights=weight)
                    mass = smoothed(mass)
                    axes.pcolormesh(x_edges, y_edges, mass.T, cmap=DENSITY_COLOURS, rasterized=True)
                    axes.contour((x_edges[1:] + x_edges[:-1]) / 2, (y_edges[1:] + y_edges[:-1]) / 2, mass.T, levels=levels_of(mass), colors=INK, linewidths=0.7)
                    axes.set_ylim(views[row])
                    if column == 0:
                        axes.set_ylabel(names[row], fontsize=8)
                    else:
                        axes.set_yticklabels([])
                axes.set_xlim(views[column])
                if row == shown - 1:
                    axes.set_xlabel(names[column], fontsize=8)
    of_all = "" if shown == dimension else f"the first {shown} of {dimension} parameters; "
    shares = " and ".join(f"{100 * mass:.0f} %" for mass in MASS_INSIDE)
    return figure, Caption("Parameters", f"{of_all}N = {count(len(samples.id))} particles by their importance weights;\nlines hold {shares} of the mass")

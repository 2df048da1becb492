"""Samples over contours of the target's energy, in one, two and more dimensions."""
from __future__ import annotations

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.tri import Triangulation

from ..errors import InputError
from ..runs import Run, Samples
from .style import BLUE, DENSITY_COLOURS, INK, Caption, axis_name, count, plt, view_of

CONTOUR_LEVELS = (0.5, 1, 2, 3, 4, 6)  # nats above the lowest energy among the samples
CONTOUR_SAMPLES = 10000  # whose energies draw the lines; more only make them rougher
FEWEST = 3


def usable_samples(run: Run) -> tuple[Samples, np.ndarray, np.ndarray, np.ndarray]:
    """The samples, and of those with a finite weight: position, energy, log weight. Throws where too few are left to draw."""
    if run.samples is None:
        raise InputError(f"{run.folder}: no samples to draw; boltzcurve run, or sample, writes them")
    usable = run.samples.usable
    if usable.sum() < FEWEST:
        raise InputError(f"{run.folder / 'samples.h5md'}: only {usable.sum()} of {len(usable)} particles have a finite weight; nothing to draw")
    return run.samples, run.samples.position[usable], run.samples.energy[usable], run.samples.log_weight[usable]


def outside(position: np.ndarray, x_view: tuple[float, float], y_view: tuple[float, float]) -> int:
    x, y = position[:, 0], position[:, 1]
    return int(((x < x_view[0]) | (x > x_view[1]) | (y < y_view[0]) | (y > y_view[1])).sum())


def draw_plane(axes: plt.Axes, run: Run) -> Caption:
    """Two dimensions: every sample, over contours of the energy that the samples carry."""
    samples, position, energy, _ = usable_samples(run)
    x, y = position.T
    x_view, y_view = view_of(x), view_of(y)
    corner_of = slice(None, None, -(-len(x) // CONTOUR_SAMPLES))
    mesh = Triangulation(x[corner_of], y[corner_of])
    corners = position[corner_of][mesh.triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    # Between far modes there are no samples to read the energy from: no contour is drawn there.
    mesh.set_mask(longest > 0.05 * np.hypot(x_view[1] - x_view[0], y_view[1] - y_view[0]))
    axes.scatter(x, y, s=max(1.0, min(12.0, 60000 / len(x) ** 1.15)), color=BLUE, alpha=0.35, linewidths=0, rasterized=True)
    if mesh.mask is not None and not mesh.mask.all():
        axes.tricontour(mesh, energy[corner_of] - energy.min(), levels=CONTOUR_LEVELS, colors=INK, linewidths=0.7, alpha=0.8)
    axes.set(xlim=x_view, ylim=y_view, xlabel=axis_name(0), ylabel=axis_name(1))
    axes.set_aspect("equal", adjustable="box")
    levels = ", ".join(f"{level:g}" for level in CONTOUR_LEVELS)
    return Caption("Samples", f"N = {count(len(samples.id))} particles, {count(outside(position, x_view, y_view))} out of view; "
                              f"lines: energy $f_D$ of the target,\n"
                              f"{levels} nats above its least, interpolated between the samples and drawn only there")


def draw_line(axes: plt.Axes, run: Run) -> Caption:
    """One dimension: the samples' histogram beside the target's density, normalized by the estimated log Z."""
    samples, position, energy, _ = usable_samples(run)
    x = position[:, 0]
    axes.hist(x, bins=80, range=view_of(x), density=True, color=BLUE, alpha=0.5)
    order = np.argsort(x)
    log_z = run.metrics.get("log_z")
    if log_z is not None:
        axes.plot(x[order], np.exp(-energy[order] - log_z), color=INK, linewidth=1.2)
    axes.set(xlim=view_of(x), xlabel=axis_name(0), ylabel="density  [1 / unit of the target]")
    return Caption("Samples", f"N = {count(len(samples.id))} particles; line: target, normalized by the estimated log Z")


def smoothed(histogram: np.ndarray, width: float = 1.2) -> np.ndarray:
    """The histogram convolved with a Gaussian of `width` bins in both directions."""
    offsets = np.arange(-4, 5)
    kernel = np.exp(-0.5 * (offsets / width) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        histogram = np.apply_along_axis(np.convolve, axis, histogram, kernel, mode="same")
    return histogram


def pairs_of(dimension: int) -> list[tuple[int, int]]:
    return [(0, 1), (0, 2), (1, 2)] if dimension == 3 else [(0, 1), (2, 3), (0, 2), (1, 3)]


def draw_pair(axes: plt.Axes, run: Run, pair: tuple[int, int]) -> Caption:
    """A marginal of two coordinates; color: the samples, lines: the same reweighted to the target."""
    samples, position, _, log_weight = usable_samples(run)
    x, y = position[:, pair[0]], position[:, pair[1]]
    weight = np.exp(log_weight - log_weight.max())
    views = [view_of(x), view_of(y)]
    bins = int(np.clip(len(x) ** 0.4, 16, 90))
    counts, x_edges, y_edges = np.histogram2d(x, y, bins=bins, range=views)
    shown = np.where(counts > 0, counts, np.nan)
    axes.pcolormesh(x_edges, y_edges, shown.T, cmap=DENSITY_COLOURS, norm=LogNorm(vmin=0.5, vmax=counts.max()), rasterized=True)
    reweighted = smoothed(np.histogram2d(x, y, bins=bins, range=views, weights=weight)[0])
    axes.contour((x_edges[1:] + x_edges[:-1]) / 2, (y_edges[1:] + y_edges[:-1]) / 2, reweighted.T,
                 levels=reweighted.max() * np.exp([-4.0, -3.0, -2.0, -1.0, -0.3]), colors=INK, linewidths=0.7)
    axes.set(xlim=views[0], ylim=views[1])
    axes.set_xlabel(axis_name(pair[0]), fontsize=8)
    axes.set_ylabel(axis_name(pair[1], with_unit=False), fontsize=8)
    axes.tick_params(labelsize=7)
    return Caption(f"Samples, D = {position.shape[1]}", f"N = {count(len(samples.id))} particles; color: count per bin (log);\n"
                                                        "lines: the same, reweighted to the target")

"""Trajectories, and how fast the particles move along them."""
from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection

from ..errors import InputError
from ..runs import Run, Trajectory
from .style import BLUE, INK, RED, TIME_COLOURS, Caption, axis_name, count, logarithmic, plt, view_of

LINES_DRAWN = 150  # trajectories; more hide each other


def trajectory_of(run: Run) -> Trajectory:
    if run.trajectory is None:
        raise InputError(f"{run.folder}: no frames to draw; sample with --sampling.frames=21")
    return run.trajectory


def draw_trajectories(axes: plt.Axes, run: Run) -> Caption:
    trajectory = trajectory_of(run)
    frames, times = trajectory.coordinates[:, :LINES_DRAWN, :2], trajectory.time
    finite = np.isfinite(frames).all((0, 2))
    paths = np.moveaxis(frames[:, finite], 1, 0)  # [n][T][1 or 2]
    in_line = paths.shape[2] == 1
    if in_line:
        paths = np.concatenate([np.broadcast_to(times[None, :, None], paths.shape), paths], axis=2)
    # Several frames make a path, colored piece by piece by the number of the frame: times may crowd at one end of the curve.
    pieces = np.stack([paths[:, :-1], paths[:, 1:]], axis=2)
    middles = np.broadcast_to(np.arange(len(times) - 1) + 0.5, pieces.shape[:2])
    lines = LineCollection(list(pieces.reshape(-1, 2, 2)), array=middles.ravel(), cmap=TIME_COLOURS, linewidths=0.6, alpha=0.8, rasterized=True)
    lines.set_clim(0, len(times) - 1)
    axes.add_collection(lines)
    axes.scatter(paths[:, -1, 0], paths[:, -1, 1], s=7, color=RED, zorder=3, linewidths=0, rasterized=True)
    axes.set(xlim=view_of(paths[..., 0]), ylim=view_of(paths[..., 1]))
    if in_line:
        axes.set(xlabel="curve time t", ylabel=axis_name(0))
    else:
        axes.set(xlabel=axis_name(0), ylabel=axis_name(1))
        axes.set_aspect("equal", adjustable="box")
    bar = axes.figure.colorbar(lines, ax=axes, label="curve time t", shrink=0.85, pad=0.02)
    bar.outline.set_visible(False)
    marked = np.unique(np.linspace(0, len(times) - 1, 6).round().astype(int))
    bar.set_ticks(marked.tolist(), labels=[f"{times[k]:.3g}" for k in marked])
    bar.ax.invert_yaxis()  # as time runs along the paths, from above
    return Caption("Trajectories", f"{count(len(paths))} of {count(trajectory.particles)} particles, {len(times)} frames; dots: where they end")


def mean_square_velocity(trajectory: Trajectory) -> tuple[np.ndarray, np.ndarray]:
    """Times between frames, and there the mean over particles of |dx/dt|^2 from differences of frames: a lower bound of the true mean,
    since a straight line is the slowest way between two frames."""
    frames = trajectory.coordinates[:, np.isfinite(trajectory.coordinates).all((0, 2))]
    lapse = np.diff(trajectory.time)
    square = (np.diff(frames, axis=0) ** 2).sum(2).mean(1) / lapse**2
    return (trajectory.time[:-1] + trajectory.time[1:]) / 2, square


def draw_velocity(axes: plt.Axes, run: Run) -> Caption:
    trajectory = trajectory_of(run)
    middles, square = mean_square_velocity(trajectory)
    axes.plot(middles, np.sqrt(square), color=BLUE, marker="o", markersize=3)
    axes.set(xlabel="curve time t", ylabel="root mean square velocity  [length / time]")
    if (square > 0).all():
        logarithmic(axes.yaxis)
    cost = axes.twinx()
    cost.plot(trajectory.time[1:], np.cumsum(square * np.abs(np.diff(trajectory.time))), color=RED, linewidth=1)
    cost.set_ylabel("action so far  [length$^2$ / time]", color=RED)
    cost.set_ylim(bottom=0)
    if trajectory.time[0] > trajectory.time[-1]:
        axes.invert_xaxis()
    whole = run.metrics.get("action")
    axes.spines["bottom"].set_color(INK)
    return Caption("Velocity along the curve", f"{count(trajectory.coordinates.shape[1])} particles, differences of {len(trajectory.time)} frames; red: "
                                               "action so far" + (f", {whole:.4g} by all steps" if isinstance(whole, float) else ""))

#!/usr/bin/env python3
"""Draws one picture of a run: its samples over the target, training, trajectories, weights and metrics.

    tools/plot_run.py DIR [--output FILE.png]

DIR is the --output folder of `boltzcurve run`; it must hold samples.h5md, metrics.h5 and evaluation.json. Needs h5py, numpy and matplotlib.
Exit codes: 0 done, 2 wrong usage or a Python package is missing, 3 a file is missing or not what it should be.
"""
import argparse
import dataclasses
import json
import pathlib
import sys

from plotting import h5py, np, plt
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.tri import Triangulation

INK, GREY, PALE, BLUE, RED = "#22303c", "#5a6a76", "#9fb0bd", "#2a6f97", "#c1440e"
TIME_COLOURS, DENSITY_COLOURS = "viridis", "Blues"
PIXELS = (1920, 1200)
PIXELS_PER_INCH = 120
WRITTEN_BY = {"samples.h5md": "boltzcurve run, or sample", "metrics.h5": "boltzcurve run, or train",
              "evaluation.json": "boltzcurve run, or evaluate"}
CONTOUR_LEVELS = (0.5, 1, 2, 3, 4, 6)  # nats above the lowest energy among the samples
LINES_DRAWN = 150                                 # trajectories; more hide each other


class InputError(Exception):
    """A file of the run is missing or is not what it should be."""


@dataclasses.dataclass
class Run:
    samples: np.ndarray      # [N][D], only those with a finite weight
    energy: np.ndarray       # [N] f_D [nats], likewise
    log_weight: np.ndarray   # [N] [nats], likewise
    particles: int           # all, failed ones too
    training: dict           # column -> values over the logged steps
    evaluations: dict        # column -> values over the evaluations
    metrics: dict            # the last evaluation
    times: np.ndarray        # [T] of the frames; empty without frames
    frames: np.ndarray       # [T][n][min(D, 2)]
    complete: bool           # the run that wrote the samples came to its end


def columns(file, group):
    """The one-dimensional datasets of a group, by name; none if the group is absent."""
    if group not in file:
        return {}
    return {name: data[()] for name, data in file[group].items() if isinstance(data, h5py.Dataset) and data.ndim == 1}


def read_run(folder):
    missing = [f"{name} (written by {command})" for name, command in WRITTEN_BY.items() if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder} lacks {'; '.join(missing)}")
    name = "evaluation.json"
    try:
        metrics = json.loads((folder / name).read_text())
        name = "metrics.h5"
        with h5py.File(folder / name, "r") as file:
            training, evaluations = columns(file, "training"), columns(file, "evaluation")
            for column in ("step", "loss", "gradient_norm"):
                training[column]  # a KeyError names what is absent
        name = "samples.h5md"
        with h5py.File(folder / name, "r") as file:
            position = file["samples/position"][()]
            log_density, log_weight = file["samples/log_density"][()], file["samples/log_weight"][()]
            trajectory = file.get("particles/trajectory", {})
            complete = bool(file.attrs.get("complete", 1))
            times, frames = np.empty(0), np.empty((0, 0, 0))
            stored = trajectory.get("coordinates") or trajectory.get("position")
            if stored is not None and stored["value"].shape[0] > 1:
                times = trajectory["position/time"][()]
                frames = stored["value"][:, :LINES_DRAWN, :min(2, position.shape[1])]
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{folder / name}: {error}") from error
    if position.ndim != 2 or len(log_density) != len(position) or len(log_weight) != len(position):
        raise InputError(f"{folder / name}: /samples: position {position.shape}, log_density {log_density.shape} and log_weight "
                         f"{log_weight.shape} should be [N][D], [N] and [N]")
    usable = np.isfinite(log_weight) & np.isfinite(log_density) & np.isfinite(position).all(1)
    if usable.sum() < 3:
        raise InputError(f"{folder / name}: only {usable.sum()} of {len(position)} particles have a finite weight; nothing to draw")
    # log w = -f_D - log q, so the samples themselves carry the target's energy: no formula of it is needed here.
    energy = -(log_weight + log_density)
    return Run(position[usable], energy[usable], log_weight[usable], len(position), training, evaluations, metrics, times, frames, complete)


def count(number):
    """An integer with thin spaces between thousands."""
    return f"{int(number):,}".replace(",", "\u2009")


def axis_name(d):
    return f"$x_{{{d + 1}}}$  [unit of the target]"


def view_of(values):
    """Lower and upper end that hold the middle 99.8 % of the values, with a margin: one stray particle must not hide the rest."""
    lower, upper = np.quantile(values, [0.001, 0.999])
    margin = 0.08 * (upper - lower) or 1.0
    return lower - margin, upper + margin


def outside(run, pair, x_view, y_view):
    x, y = run.samples[:, pair[0]], run.samples[:, pair[1]]
    return int(((x < x_view[0]) | (x > x_view[1]) | (y < y_view[0]) | (y > y_view[1])).sum())


def draw_plane(axes, run):
    """Two dimensions: every sample, over contours of the energy that the samples carry."""
    x, y = run.samples.T
    x_view, y_view = view_of(x), view_of(y)
    mesh = Triangulation(x, y)
    corners = np.stack([x, y], 1)[mesh.triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    # Between far modes there are no samples to read the energy from: no contour is drawn there.
    mesh.set_mask(longest > 0.05 * np.hypot(x_view[1] - x_view[0], y_view[1] - y_view[0]))
    above = run.energy - run.energy.min()
    axes.scatter(x, y, s=max(1.0, min(12.0, 60000 / len(x) ** 1.15)), color=BLUE, alpha=0.35, linewidths=0, rasterized=True)
    if not mesh.mask.all():
        axes.tricontour(mesh, above, levels=CONTOUR_LEVELS, colors=INK, linewidths=0.7, alpha=0.8)
    axes.set(xlim=x_view, ylim=y_view, xlabel=axis_name(0), ylabel=axis_name(1))
    axes.set_aspect("equal", adjustable="box")
    levels = ", ".join(f"{level:g}" for level in CONTOUR_LEVELS)
    title(axes, "Samples", f"N = {count(run.particles)} particles, {count(outside(run, (0, 1), x_view, y_view))} out of view; "
                           f"lines: energy $f_D$ of the target,\n"
                           f"{levels} nats above its least, interpolated between the samples and drawn only there")


def draw_line(axes, run):
    """One dimension: the samples' histogram beside the target's density, normalised by the estimated log Z."""
    x = run.samples[:, 0]
    axes.hist(x, bins=80, range=view_of(x), density=True, color=BLUE, alpha=0.5)
    order = np.argsort(x)
    log_z = run.metrics.get("log_z")
    if log_z is not None:
        axes.plot(x[order], np.exp(-run.energy[order] - log_z), color=INK, linewidth=1.2)
    axes.set(xlim=view_of(x), xlabel=axis_name(0), ylabel="density  [1 / unit of the target]")
    title(axes, "Samples", f"N = {count(run.particles)} particles; line: target, normalised by the estimated log Z")


def smoothed(histogram, width=1.2):
    """The histogram convolved with a Gaussian of `width` bins in both directions."""
    offsets = np.arange(-4, 5)
    kernel = np.exp(-0.5 * (offsets / width) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        histogram = np.apply_along_axis(np.convolve, axis, histogram, kernel, mode="same")
    return histogram


def draw_pairs(figure, place, run):
    """More dimensions: marginals of the first pairs; colour: the samples, lines: the same reweighted to the target."""
    dimension = run.samples.shape[1]
    pairs = [(0, 1), (0, 2), (1, 2)] if dimension == 3 else [(0, 1), (2, 3), (0, 2), (1, 3)]
    weight = np.exp(run.log_weight - run.log_weight.max())
    grid = place.subgridspec(2, 2, wspace=0.3, hspace=0.3)
    for i, pair in enumerate(pairs):
        axes = figure.add_subplot(grid[i // 2, i % 2])
        x, y = run.samples[:, pair[0]], run.samples[:, pair[1]]
        views = [view_of(x), view_of(y)]
        bins = int(np.clip(len(x) ** 0.4, 16, 90))
        counts, x_edges, y_edges = np.histogram2d(x, y, bins=bins, range=views)
        shown = np.where(counts > 0, counts, np.nan)
        axes.pcolormesh(x_edges, y_edges, shown.T, cmap=DENSITY_COLOURS, norm=LogNorm(vmin=0.5, vmax=counts.max()), rasterized=True)
        reweighted = smoothed(np.histogram2d(x, y, bins=bins, range=views, weights=weight)[0])
        axes.contour((x_edges[1:] + x_edges[:-1]) / 2, (y_edges[1:] + y_edges[:-1]) / 2, reweighted.T,
                     levels=reweighted.max() * np.exp([-4.0, -3.0, -2.0, -1.0, -0.3]), colors=INK, linewidths=0.7)
        axes.set(xlim=views[0], ylim=views[1])
        axes.set_xlabel(f"$x_{{{pair[0] + 1}}}$  [unit of the target]", fontsize=8)
        axes.set_ylabel(f"$x_{{{pair[1] + 1}}}$", fontsize=8)
        axes.tick_params(labelsize=7)
        if i == 0:
            title(axes, f"Samples, D = {dimension}", f"N = {count(run.particles)} particles; colour: count per bin (log);\n"
                                                     "lines: the same, reweighted to the target", pad=8)


def draw_trajectories(axes, run):
    finite = np.isfinite(run.frames).all((0, 2))
    paths = np.moveaxis(run.frames[:, finite], 1, 0)  # [n][T][1 or 2]
    if paths.shape[2] == 1:
        paths = np.concatenate([np.broadcast_to(run.times[None, :, None], paths.shape), paths], axis=2)
    # Several frames make a path, coloured piece by piece by the time in the middle of the piece.
    pieces = np.stack([paths[:, :-1], paths[:, 1:]], axis=2)
    middles = np.broadcast_to((run.times[:-1] + run.times[1:]) / 2, pieces.shape[:2])
    lines = LineCollection(pieces.reshape(-1, 2, 2), array=middles.ravel(), cmap=TIME_COLOURS, linewidths=0.6, alpha=0.7)
    axes.add_collection(lines)
    axes.scatter(*paths[:, -1].T, s=7, color=RED, zorder=3, linewidths=0)
    axes.set(xlim=view_of(paths[..., 0]), ylim=view_of(paths[..., 1]))
    if run.samples.shape[1] == 1:
        axes.set(xlabel="curve time t", ylabel=axis_name(0))
    else:
        axes.set(xlabel=axis_name(0), ylabel=axis_name(1))
        axes.set_aspect("equal", adjustable="box")
    axes.figure.colorbar(lines, ax=axes, label="curve time t", shrink=0.85, pad=0.02)
    title(axes, "Trajectories", f"{count(len(paths))} of {count(run.particles)} particles, {len(run.times)} frames; dots: where they end")


def draw_column(axes, run, column, label, heading):
    """One column of training over the steps: every logged value pale, their running median dark."""
    steps, values = run.training["step"], run.training[column]
    good = np.isfinite(values) & (values > 0)
    axes.plot(steps[good], values[good], color=PALE, linewidth=0.7)
    window = max(1, good.sum() // 40) | 1
    if window > 1:
        padded = np.pad(values[good], window // 2, mode="edge")
        axes.plot(steps[good], np.median(np.lib.stride_tricks.sliding_window_view(padded, window), axis=1), color=BLUE, linewidth=1.6)
    axes.set(yscale="log", xlabel="training step", ylabel=label)
    left_out = len(values) - good.sum()
    title(axes, heading, f"{count(len(values))} logged rows; line: running median over {window}"
                         + (f"; {count(left_out)} not finite or not positive, left out" if left_out else ""))


def draw_weights(axes, run):
    normalised = run.log_weight - run.log_weight.max()
    normalised = normalised - np.log(np.exp(normalised).sum() / run.particles)
    lower, upper = np.quantile(normalised, [0.001, 0.999])
    half = max(upper, -lower, 1e-3) * 1.1
    axes.hist(normalised, bins=80, range=(-half, half), color=BLUE, alpha=0.75)
    axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    axes.set(xlim=(-half, half), yscale="log", ylabel="particles per bin",
             xlabel=r"log of the weight over its mean, $\log(w N / \sum w)$  [nats]")
    failed = run.particles - len(normalised)
    beyond = int((np.abs(normalised) > half).sum())
    title(axes, "Importance weights", f"N = {count(run.particles)}: {count(failed)} with weight 0 (failed), "
                                      f"{count(beyond)} out of view; all at 0 is perfect")


def draw_ess(axes, run):
    rows = run.evaluations
    across = rows.get("step", np.arange(1, len(rows["ess"]) + 1))
    axes.plot(across, rows["ess"], color=BLUE, marker="o", markersize=3, label="ESS")
    if "ess_forward" in rows and np.isfinite(rows["ess_forward"]).any():
        axes.plot(across, rows["ess_forward"], color=RED, marker="o", markersize=3, label="forward ESS (exact samples)")
    axes.set(ylim=(0, 1.02), xlabel="training step" if "step" in rows else "evaluation", ylabel="effective sample size / N")
    axes.legend(frameon=False, fontsize=8)
    title(axes, "Effective sample size", f"{len(rows['ess'])} evaluations; the last with N = {count(run.particles)}: "
                                         f"{number(run.metrics.get('ess'))}")


def number(value, digits=4):
    if value is None:
        return "\u2013"
    return f"{value:.{digits}g}" if isinstance(value, float) else count(value)


def draw_table(axes, run):
    get = run.metrics.get

    def beside(value, name, other):
        return f"{number(value)}   ({name} {number(other)})" if other is not None else number(value)

    log_z = f"{number(get('log_z'), 6)} \u00b1 {number(get('log_z_stderr'))}"
    beside_exact = log_z if get("log_z_exact") is None else f"{log_z}   (exact {get('log_z_exact'):.6g})"
    failed = [f"{get(name)} {name.replace('_', ' ')}" for name in ("escaped", "nonfinite", "step_underflow", "max_steps") if get(name)]
    rows = (
        ("particles N", number(get("particles"))),
        ("ESS / N", number(get("ess"))),
        ("forward ESS / N", number(get("ess_forward"))),
        ("log Z [nats]", beside_exact),
        ("ELBO, EUBO [nats]", f"{number(get('elbo'), 6)},  {number(get('eubo'), 6)}"),
        ("NLL [nats]", beside(get("nll"), "floor", get("nll_floor"))),
        ("NLL, median [nats]", number(get("nll_median"))),
        ("energy distance", beside(get("energy_distance"), "floor", get("energy_distance_floor"))),
        ("sliced W2", number(get("sliced_w2"))),
        ("action", number(get("action"))),
        ("evaluations / particle", number(get("evaluations_per_particle"))),
        ("failed particles", ", ".join(failed) or "none"),
        ("training, sampling [s]", f"{number(get('seconds_train'))},  {number(get('seconds_sample'))}   (ranks: {number(get('ranks'))})"),
    )
    axes.axis("off")
    for i, (name, value) in enumerate(rows):
        y = 0.97 - i * 0.96 / len(rows)
        axes.text(0.0, y, name, transform=axes.transAxes, va="top", color=GREY)
        axes.text(0.42, y, value, transform=axes.transAxes, va="top", color=INK)
    title(axes, "Metrics", "of the last evaluation; \u2013 where not known")


def title(axes, heading, detail, pad=6):
    lines = detail.count("\n") + 1
    axes.set_title(detail, loc="left", fontsize=7.5, color=GREY, pad=pad)
    axes.annotate(heading, (0, 1), xycoords="axes fraction", xytext=(0, pad + 10.5 * lines), textcoords="offset points", fontsize=11,
                  fontweight="bold", color=INK)


def draw(run, folder, file):
    plt.rcParams.update({"font.size": 9, "axes.edgecolor": PALE, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK,
                         "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False})
    figure = plt.figure(figsize=(PIXELS[0] / PIXELS_PER_INCH, PIXELS[1] / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)
    grid = figure.add_gridspec(2, 3, left=0.05, right=0.985, top=0.86, bottom=0.065, wspace=0.24, hspace=0.34, width_ratios=(1.35, 1, 1.05))
    with_paths = len(run.times) > 1
    place, dimension = (grid[0, 0] if with_paths else grid[:, 0]), run.samples.shape[1]
    if dimension > 2:
        draw_pairs(figure, place, run)
    elif dimension == 2:
        draw_plane(figure.add_subplot(place), run)
    else:
        draw_line(figure.add_subplot(place), run)
    if with_paths:
        draw_trajectories(figure.add_subplot(grid[1, 0]), run)
    draw_column(figure.add_subplot(grid[0, 1]), run, "loss", "loss  [squared unit of the residual]", "Loss")
    draw_column(figure.add_subplot(grid[1, 1]), run, "gradient_norm", "norm of the loss's gradient in the parameters", "Gradient norm")
    draw_weights(figure.add_subplot(grid[0, 2]), run)
    if len(run.evaluations.get("ess", ())) > 1:
        draw_ess(figure.add_subplot(grid[1, 2]), run)
    else:
        draw_table(figure.add_subplot(grid[1, 2]), run)
    get = run.metrics.get
    summary = f"N = {count(run.particles)}   ESS {number(get('ess'))}   log Z {number(get('log_z'), 6)}   {folder.resolve().name}"
    if not run.complete:
        summary += "   (run not finished)"
    figure.text(0.05, 0.965, f"{get('target', 'target')}  \u00b7  {get('curve', 'curve')}", fontsize=17, fontweight="bold", va="center")
    figure.text(0.985, 0.965, summary, fontsize=10, va="center", ha="right", color=GREY)
    temporary = file.with_name(file.name + ".part")
    figure.savefig(temporary, format="png")
    temporary.replace(file)  # a picture that is there is complete


def main():
    parser = argparse.ArgumentParser(prog="plot_run.py", description=__doc__.split("\n")[0])
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path, help="the --output folder of a run")
    parser.add_argument("--output", metavar="FILE.png", type=pathlib.Path, help="where the picture goes (default: DIR/run.png)")
    options = parser.parse_args()
    file = options.output or options.folder / "run.png"
    try:
        draw(read_run(options.folder), options.folder, file)
    except (InputError, OSError) as error:
        print(f"plot_run.py: {error}", file=sys.stderr)
        return 3
    print(f"picture: {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

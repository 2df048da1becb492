#!/usr/bin/env python3
"""Draws a picture of every study whose tables are in a folder.

    tools/plot_study.py DIR

DIR is the --output folder of `boltzcurve study NAME`. Writes beside each table that it knows a picture of the same name. Needs h5py, numpy
and matplotlib. Exit codes: 0 done, 2 wrong usage or a Python package is missing, 3 a file is missing or not what it should be.
"""
import csv
import pathlib
import sys

from plotting import np, plt

INK, GREY, PALE = "#22303c", "#5a6a76", "#9fb0bd"
CURVES = {"gradient-flow": "#2a6f97", "linear": "#c1440e", "learned": "#3a7d44"}


class InputError(Exception):
    """A table is missing or is not what it should be."""


def read_table(path, columns):
    """Column -> list of its cells as text."""
    try:
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        table = {name: [row[name] for row in rows] for name in columns}
    except (OSError, KeyError, csv.Error) as error:
        raise InputError(f"{path}: {error}") from error
    if not rows:
        raise InputError(f"{path}: holds no rows")
    return table


def numbers(cells):
    """Unknown numbers, which are empty, as NaN."""
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError as error:
        raise InputError(f"a number was expected: {error}") from error


def decorate(axes, heading, x, y):
    axes.set_title(heading, loc="left", fontsize=10, color=INK)
    axes.set(xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)


def draw_velocity_explosion(path, figure):
    """Norm over the share of time, for every curve and distance; largest norm and action over the distance."""
    table = read_table(path, ("distance", "curve", "t", "velocity_norm", "action"))
    distance, t, norm, action = (numbers(table[name]) for name in ("distance", "t", "velocity_norm", "action"))
    curve = np.array(table["curve"])
    over_time, over_distance = figure.subplots(1, 2)
    for name in sorted(set(curve), key=list(curve).index):
        colour = CURVES.get(name, INK)
        distances = np.unique(distance[curve == name])
        largest, actions = [], []
        for shade, d in zip(np.linspace(0.35, 1, len(distances)), distances):
            rows = (curve == name) & (distance == d)
            # The gradient flow's time runs from the target: both are drawn from latent law to target.
            share = 1 - t[rows] / t[rows].max() if name == "gradient-flow" else t[rows]
            over_time.plot(share, norm[rows], "o-", color=colour, alpha=shade, markersize=3, label=f"{name}, {d:g}")
            largest.append(norm[rows].max())
            actions.append(action[rows][0])
        over_distance.plot(distances, largest, "o-", color=colour, label=f"{name}: largest norm")
        over_distance.plot(distances, actions, "s--", color=colour, markersize=4, label=f"{name}: action")
    for axes in (over_time, over_distance):
        axes.set_yscale("log")
        axes.legend(fontsize=7, frameon=False)
    decorate(over_time, "Velocity", "share of the time from latent law to target", r"$\|v_t\|_{L^2(\rho_t)}$")
    decorate(over_distance, "Growth", "distance of the modes", "largest norm, action")


STUDIES = {"velocity_explosion.csv": draw_velocity_explosion}


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr if len(sys.argv) != 2 else sys.stdout)
        return 0 if sys.argv[1:] in (["--help"], ["-h"]) else 2
    folder = pathlib.Path(sys.argv[1])
    known = [name for name in STUDIES if (folder / name).is_file()]
    if not known:
        print(f"plot_study.py: {folder} holds none of {', '.join(STUDIES)}; `boltzcurve study NAME --output {folder}` makes them", file=sys.stderr)
        return 3
    try:
        for name in known:
            figure = plt.figure(figsize=(11, 4.6), constrained_layout=True)
            STUDIES[name](folder / name, figure)
            picture = (folder / name).with_suffix(".png")
            figure.savefig(picture, dpi=120)
            plt.close(figure)
            print(f"picture: {picture}")
    except InputError as error:
        print(f"plot_study.py: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())

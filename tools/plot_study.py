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
        color = CURVES.get(name, INK)
        distances = np.unique(distance[curve == name])
        largest, actions = [], []
        for shade, d in zip(np.linspace(0.35, 1, len(distances)), distances):
            rows = (curve == name) & (distance == d)
            # The gradient flow's time runs from the target: both are drawn from latent law to target.
            share = 1 - t[rows] / t[rows].max() if name == "gradient-flow" else t[rows]
            over_time.plot(share, norm[rows], "o-", color=color, alpha=shade, markersize=3, label=f"{name}, {d:g}")
            largest.append(norm[rows].max())
            actions.append(action[rows][0])
        over_distance.plot(distances, largest, "o-", color=color, label=f"{name}: largest norm")
        over_distance.plot(distances, actions, "s--", color=color, markersize=4, label=f"{name}: action")
    for axes in (over_time, over_distance):
        axes.set_yscale("log")
        axes.legend(fontsize=7, frameon=False)
    decorate(over_time, "Velocity", "share of the time from latent law to target", r"$\|v_t\|_{L^2(\rho_t)}$")
    decorate(over_distance, "Growth", "distance of the modes", "largest norm, action")


def draw_velocity_explosion_networks(path, figure):
    """Norm over time of every network, with two standard errors; actions."""
    table = read_table(path, ("distance", "curve", "t", "velocity_norm", "velocity_norm_error", "action", "action_error", "run"))
    names = [f"{curve}\n{run}" for curve, run in zip(table["curve"], table["run"])]
    values = {name: numbers(table[name]) for name in ("t", "velocity_norm", "velocity_norm_error", "action", "action_error")}
    over_time, actions = figure.subplots(1, 2)
    runs = sorted(set(names), key=names.index)
    for place, name in enumerate(runs):
        rows = np.array([other == name for other in names])
        color = CURVES.get(name.split("\n")[0], INK)
        t = values["t"][rows]
        share = 1 - t / t.max() if name.startswith("gradient-flow") else t
        over_time.errorbar(share, values["velocity_norm"][rows], 2 * values["velocity_norm_error"][rows], marker="o", markersize=3, color=color,
                           alpha=1 - 0.6 * place / len(runs), label=name.replace("\n", ", "))
        actions.errorbar([place], values["action"][rows][:1], 2 * values["action_error"][rows][:1], marker="o", color=color)
    over_time.legend(fontsize=6, frameon=False)
    for axes in (over_time, actions):
        axes.set_yscale("log")
    actions.set_xticks(range(len(runs)), runs, fontsize=6, rotation=30, ha="right")
    decorate(over_time, "Velocity of networks, with two standard errors", "share of the time from latent law to target", r"$\|v_t\|_{L^2(\rho_t)}$")
    decorate(actions, "Action of networks", "", "action")


def draw_action(path, figure):
    """Both actions of every curve over the distance, the Wasserstein one beside its lower bound W2^2 over the duration."""
    table = read_table(path, ("distance", "curve", "source", "wasserstein_action", "fisher_rao_action", "duration", "w2"))
    values = {name: numbers(table[name]) for name in ("distance", "wasserstein_action", "fisher_rao_action", "duration", "w2")}
    curve, exact = np.array(table["curve"]), np.array(table["source"]) == "quadrature"
    for axes, column, heading in zip(figure.subplots(1, 2), ("wasserstein_action", "fisher_rao_action"), ("Wasserstein action", "Fisher-Rao action")):
        for name in sorted(set(curve), key=list(curve).index):
            for by, mark, word in ((exact, "o-", "quadrature"), (~exact, "x", "networks")):
                rows = (curve == name) & by
                if not rows.any():
                    continue
                axes.plot(values["distance"][rows], values[column][rows], mark, color=CURVES.get(name, INK), label=f"{name}, {word}")
                if column == "wasserstein_action":
                    axes.plot(values["distance"][rows], values["w2"][rows] ** 2 / values["duration"][rows], ":", color=CURVES.get(name, INK),
                              label=f"{name}: least, $W_2^2/T$")
        axes.set_yscale("log")
        axes.legend(fontsize=7, frameon=False)
        decorate(axes, heading, "distance of the modes", heading.lower())


def draw_ablation(path, figure):
    """ESS of every combination, forward ESS beside it; NLL over its floor."""
    table = read_table(path, ("latent", "schedule", "curve", "ess", "ess_forward", "nll", "nll_floor", "error"))
    names = [", ".join(part for part in parts if part != "-") for parts in zip(table["curve"], table["schedule"], table["latent"])]
    ess, forward = numbers(table["ess"]), numbers(table["ess_forward"])
    excess = numbers(table["nll"]) - numbers(table["nll_floor"])
    places = np.arange(len(names))
    colors = [CURVES.get(curve, INK) for curve in table["curve"]]
    shares, likelihood = figure.subplots(1, 2, sharey=True)
    shares.barh(places - 0.2, np.nan_to_num(ess), 0.38, color=colors)
    shares.barh(places + 0.2, np.nan_to_num(forward), 0.38, color=colors, alpha=0.45)
    likelihood.barh(places, np.nan_to_num(excess), 0.6, color=colors)
    for place, error in enumerate(table["error"]):
        if error:
            shares.text(0.01, place, "failed", va="center", fontsize=7, color=GREY)
    shares.set_yticks(places, names, fontsize=7)
    shares.invert_yaxis()
    shares.set_xlim(0, 1)
    likelihood.set_xscale("symlog", linthresh=0.1)
    decorate(shares, "ESS, and forward ESS (pale)", "share of the particles", "")
    decorate(likelihood, "NLL over the entropy of the target", "nats", "")


STUDIES = {"velocity_explosion.csv": draw_velocity_explosion, "velocity_explosion_networks.csv": draw_velocity_explosion_networks,
           "action.csv": draw_action, "ablation.csv": draw_ablation}


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

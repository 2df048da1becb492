#!/usr/bin/env python3
"""One table and one figure of the paper's experiments: what each curve reached on each target in equal wall time, over its seeds.

    tools/experiments.py DIR
    tools/experiments.py --steps-in SECONDS DIR     how many steps the training in DIR would have done in so many seconds

DIR holds TARGET/CURVE_scaleS/seedK as jobs/paper/experiments.sh leaves them. Writes DIR/experiments.md (also printed): mean and standard
deviation over the seeds; the same as DIR/experiments.csv; and DIR/experiments.png: ESS, and forward ESS, which sees lost modes. Exit codes:
0 done, 2 wrong usage or a package is missing, 3 nothing to read.
"""
import csv
import json
import pathlib
import re
import sys

from plotting import h5py, np, plt

TARGETS = ["two_modes", "three_modes", "many_well_8", "asymmetric_two", "rings", "four_gaussians"]
COLOURS = {"gradient-flow": "#2a6f97", "linear": "#c1440e", "learned": "#3a7d44"}

# Column, what it is of an evaluation, how it is written.
COLUMNS = [
    ("ESS", lambda e: e["ess"], "{:.4f}"),
    ("forward ESS", lambda e: e["ess_forward"], "{:.4f}"),
    ("log Z error", lambda e: minus(e["log_z"], e["log_z_exact"]), "{:+.4f}"),
    ("NLL - floor", lambda e: minus(e["nll"], e["nll_floor"]), "{:+.3f}"),
    ("energy distance / floor", lambda e: ratio(e["energy_distance"], e["energy_distance_floor"]), "{:.2f}"),
    ("action", lambda e: e["action"], "{:.4g}"),
    ("largest velocity norm", lambda e: e["velocity"], "{:.4g}"),
    ("failed particles", lambda e: e["escaped"] + e["nonfinite"] + e["step_underflow"] + e["max_steps"], "{:.0f}"),
    ("training [s]", lambda e: e["seconds_train"], "{:.0f}"),
]


def minus(a, b):
    return None if a is None or b is None else a - b


def ratio(a, b):
    return None if a is None or not b else a / b


def steps_in(seconds, folder):
    """The first hundred steps warm up, and are the slower ones: none of them counts where there are more."""
    with h5py.File(folder / "metrics.h5") as file:
        step, elapsed = (np.asarray(file["training"][name][()], float) for name in ("step", "seconds"))
    if len(step) < 2:
        raise ValueError(f"{folder}: fewer than two rows of training")
    first = min(np.searchsorted(step, 100), len(step) - 2)
    pace = (step[-1] - step[first]) / (elapsed[-1] - elapsed[first])
    return max(1, int(0.95 * seconds * pace))  # 5 % for machines that are not always equally quick


def velocities(root):
    """Largest norm over the times of every run, by its path."""
    path = root / "velocity/velocity_explosion_networks.csv"
    largest = {}
    if path.is_file():
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                run = str(pathlib.Path(row["run"]).resolve())
                largest[run] = max(largest.get(run, 0.0), float(row["velocity_norm"] or "nan"))
    return largest


def read_runs(root):
    """(target, curve, scale) -> (evaluations, number of failures)."""
    largest, runs = velocities(root), {}
    for folder in sorted(root.glob("*/*_scale*/seed*")):
        curve, scale = re.fullmatch(r"(.+)_scale(.+)", folder.parent.name).groups()
        evaluations, failures = runs.setdefault((folder.parent.parent.name, curve, float(scale)), ([], []))
        if (folder / "evaluation.json").is_file():
            evaluation = json.loads((folder / "evaluation.json").read_text())
            evaluation["velocity"] = largest.get(str(folder.resolve()))
            evaluations.append(evaluation)
        elif (folder / "failed.txt").is_file():
            failures.append(folder)

    def place(item):
        (target, curve, scale), _ = item
        return (TARGETS.index(target) if target in TARGETS else len(TARGETS), target, list(COLOURS).index(curve) if curve in COLOURS else 9, scale)

    return dict(sorted(runs.items(), key=place))


def statistics(evaluations, value_of):
    """Mean and standard deviation over the seeds where all are known."""
    values = [value_of(evaluation) for evaluation in evaluations]
    if not values or any(value is None for value in values):
        return None
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def write_tables(root, runs):
    lines = ["| target | curve | latent scale | seeds | " + " | ".join(name for name, *_ in COLUMNS) + " |", "|---|---|---|---|" + "---|" * len(COLUMNS)]
    with open(root / "experiments.csv", "w", newline="") as file:
        writer = csv.writer(file)
        names = [name.lower().replace(" ", "_") for name, *_ in COLUMNS]
        writer.writerow(["target", "curve", "latent_scale", "seeds", "failures", *(word for name in names for word in (name, f"{name}_spread"))])
        for (target, curve, scale), (evaluations, failures) in runs.items():
            found = [statistics(evaluations, value_of) for _, value_of, _ in COLUMNS]
            seeds = f"{len(evaluations)}" + (f" ({len(failures)} failed)" if failures else "")
            cells = ["-" if pair is None else f"{form.format(pair[0])} ± {form.format(pair[1]).lstrip('+')}" for pair, (*_, form) in zip(found, COLUMNS)]
            lines.append(f"| {target} | {curve} | {scale:g} | {seeds} | " + " | ".join(cells) + " |")
            writer.writerow([target, curve, scale, len(evaluations), len(failures), *(number for pair in found for number in (pair or ("", "")))])
    table = "\n".join(lines) + "\n"
    (root / "experiments.md").write_text(table)
    return table


def draw(runs, path):
    targets = list(dict.fromkeys(target for target, *_ in runs))
    figure, axes = plt.subplots(1, len(targets), figsize=(2.7 * len(targets) + 1, 4), squeeze=False, sharey=True, constrained_layout=True)
    for panel, target in zip(axes[0], targets):
        settings = [(key, value[0]) for key, value in runs.items() if key[0] == target]
        for place, ((_, curve, scale), evaluations) in enumerate(settings):
            for column, marker, shift in ((COLUMNS[0], "o", -0.1), (COLUMNS[1], "^", 0.1)):
                found = statistics(evaluations, column[1])
                if found:
                    panel.errorbar([place + shift], [found[0]], [found[1]], marker=marker, color=COLOURS.get(curve, "#22303c"), capsize=2)
        panel.set_xticks(range(len(settings)), [f"{curve}\n{scale:g}" for (_, curve, scale), _ in settings], fontsize=7, rotation=60)
        panel.set_title(target, fontsize=9)
        panel.set_ylim(-0.03, 1.03)
    axes[0, 0].set_ylabel("ESS (dots), forward ESS (triangles), of 1")
    figure.savefig(path, dpi=110)


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--steps-in"] and len(arguments) == 3:
        try:
            print(steps_in(float(arguments[1]), pathlib.Path(arguments[2])))
            return 0
        except (OSError, KeyError, ValueError) as error:
            print(f"experiments.py: {error}", file=sys.stderr)
            return 3
    if len(arguments) != 1 or arguments[0].startswith("-"):
        asked = arguments in (["--help"], ["-h"])
        print(__doc__, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    root = pathlib.Path(arguments[0])
    runs = read_runs(root)
    if not any(evaluations for evaluations, _ in runs.values()):
        print(f"experiments.py: no {root}/TARGET/CURVE_scaleS/seedK/evaluation.json; jobs/paper/experiments.sh makes them", file=sys.stderr)
        return 3
    table = write_tables(root, runs)
    draw(runs, root / "experiments.png")
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())

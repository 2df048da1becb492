"""One table and one figure of a folder of runs: what each configuration reached, over its seeds.

DIR holds CONFIGURATION/seedK as jobs/paper/headline.sh leaves them, log.txt among it. Writes DIR/headline.md: median over the seeds, the
worst one in brackets; and DIR/headline.png: ESS and NLL against wall time of training, with the entropy of the target (no NLL can stay below
it but by chance) and the level of the paper (arXiv 2410.03282, gradient flow).
"""
from __future__ import annotations

import json
import pathlib
import re
from typing import Any, Callable, Sequence

import h5py
import numpy as np

from .draw.style import plt
from .errors import InputError

Runs = dict[str, list[tuple[dict[str, Any], np.ndarray, np.ndarray, np.ndarray]]]
PAPER = {"gmm40": {"ess": (0.99, 0.992), "nll": (6.86, 6.99)}, "many_well_8": {"ess": (0.99, 0.992), "nll": (6.86, 6.99)}}
ORDER = ["two_modes", "three_modes", "asymmetric_two", "rings", "gmm40", "many_well_8", "many_well_16", "many_well_32", "mixture_20",
         "mixture_50", "funnel"]

# Column, what it is of an evaluation, how it is written, whether more is better (None: what lies further from zero is worse).
COLUMNS: list[tuple[str, Callable[[dict[str, Any]], float | None], str, bool | None]] = [
    ("ESS", lambda e: e["ess"], "{:.4f}", True),
    ("forward ESS", lambda e: e["ess_forward"], "{:.4f}", True),
    ("log Z error", lambda e: minus(e["log_z"], e["log_z_exact"]), "{:+.4f}", None),
    ("NLL - floor", lambda e: minus(e["nll"], e["nll_floor"]), "{:+.3f}", None),
    ("energy distance / floor", lambda e: ratio(e["energy_distance"], e["energy_distance_floor"]), "{:.2f}", False),
    ("mode weight error", lambda e: e["mode_weight_error"], "{:.4f}", False),
    ("relative", lambda e: e["mode_weight_error_relative"], "{:.3f}", False),
    ("failed", lambda e: e["escaped"] + e["nonfinite"] + e["step_underflow"] + e["max_steps"], "{:.0f}", False),
    ("training [s]", lambda e: e["seconds_train"], "{:.0f}", False),
    ("sampling [s]", lambda e: e["seconds_sample"], "{:.0f}", False),
]


def minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def ratio(a: float | None, b: float | None) -> float | None:
    return None if a is None or not b else a / b


def read_runs(root: pathlib.Path) -> Runs:
    """Configuration -> list of (evaluation, wall time, ESS, NLL along training)."""
    runs: Runs = {}
    for path in sorted(root.glob("*/seed*/evaluation.json")):
        with h5py.File(path.parent / "metrics.h5") as file:
            rows = file["evaluation"]
            course = [np.asarray(rows[name][()], float) for name in ("seconds_train", "ess", "nll")]
        evaluation = json.loads(path.read_text())
        for key in ("mode_weight_error", "mode_weight_error_relative"):  # only in the table on the terminal
            found = re.search(rf"^{key} +(\S+)", (path.parent / "log.txt").read_text(), re.MULTILINE)
            evaluation[key] = float(found[1]) if found else None
        runs.setdefault(path.parent.parent.name, []).append((evaluation, course[0], course[1], course[2]))
    return dict(sorted(runs.items(), key=lambda item: (ORDER.index(item[0]) if item[0] in ORDER else len(ORDER), item[0])))


def cell(values: Sequence[float | None], form: str, more_is_better: bool | None) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    worst = max(known, key=abs) if more_is_better is None else min(known) if more_is_better else max(known)
    middle = form.format(float(np.median(known)))
    return middle if len(known) == 1 else f"{middle} ({form.format(worst)})"


def table_of(runs: Runs) -> str:
    lines = ["| configuration | seeds | " + " | ".join(name for name, *_ in COLUMNS) + " |", "|---|---|" + "---|" * len(COLUMNS)]
    for name, of_seeds in runs.items():
        cells = [cell([value_of(e) for e, *_ in of_seeds], form, better) for _, value_of, form, better in COLUMNS]
        lines.append(f"| {name} | {len(of_seeds)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def draw(runs: Runs, path: pathlib.Path) -> None:
    figure, axes = plt.subplots(2, len(runs), figsize=(3.2 * len(runs) + 0.6, 5.6), squeeze=False, constrained_layout=True)
    for column, (name, of_seeds) in enumerate(runs.items()):
        above, below = axes[:, column]
        for evaluation, seconds, ess, nll in of_seeds:
            above.plot(seconds, 1 - ess, "o-", color="#2a6f97", markersize=3, linewidth=1)
            floor = evaluation["nll_floor"]
            if floor is not None:
                below.plot(seconds, nll - floor, "o-", color="#2a6f97", markersize=3, linewidth=1)
        if name in PAPER:
            low, high = PAPER[name]["ess"]
            above.axhspan(1 - high, 1 - low, color="#c1440e", alpha=0.35, label="paper")
            floor = of_seeds[0][0]["nll_floor"]
            below.axhspan(PAPER[name]["nll"][0] - floor, PAPER[name]["nll"][1] - floor, color="#c1440e", alpha=0.25, label="paper")
            above.legend(fontsize=8)
        below.axhline(0, color="#22303c", linewidth=0.8)
        below.set_yscale("symlog", linthresh=0.1)
        below.yaxis.set_major_formatter("{x:.3g}")
        above.set_yscale("log")
        above.invert_yaxis()
        above.set_title(name, fontsize=10)
        below.set_xlabel("training [s]")
    axes[0, 0].set_ylabel("1 - ESS (up is better, ceiling 1)")
    axes[1, 0].set_ylabel("NLL - entropy of the target [nats]")
    figure.savefig(path, dpi=110)


def headline(root: pathlib.Path) -> str:
    """Writes table and figure, and returns the table. Throws InputError where there is nothing to read."""
    try:
        runs = read_runs(root)
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{root}: {error}") from error
    if not runs:
        raise InputError(f"no {root}/CONFIGURATION/seedK/evaluation.json; jobs/paper/headline.sh makes them")
    table = table_of(runs)
    (root / "headline.md").write_text(table)
    draw(runs, root / "headline.png")
    return table

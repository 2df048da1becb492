#!/usr/bin/env python3
"""One table and one figure of the problems with known answers: what each run reached, beside what is known.

    tools/problems.py DIR CONFIGS

DIR holds NAME/seedK as jobs/problems.sh leaves them, CONFIGS the configuration NAME.ini of each, whose head says log Z where the target does
not know it. Writes DIR/problems.md (also printed) and DIR/problems.csv, a line per run, and DIR/problems.png: effective sample sizes, and
errors of log Z in standard errors. Exit codes: 0 done, 2 wrong usage or a package is missing, 3 nothing to read.
"""
import csv
import json
import pathlib
import re
import sys

from plotting import plt

COLUMNS = ("problem", "seed", "ESS", "lineage ESS", "forward ESS, pilot", "log Z", "std error", "known", "z", "values", "gradients",
           "processor seconds", "diagnosis")
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"


def known_log_z(evaluation, config):
    """Of the target, or of the head of its configuration, where it ends in a number."""
    if evaluation.get("log_z_exact") is not None:
        return evaluation["log_z_exact"]
    head = " ".join(line[1:].strip() for line in config.read_text().splitlines() if line.startswith(";")) if config.exists() else ""
    found = re.search(rf"log Z = ({NUMBER})(?![\d.]*\s*[(*])", head)
    return float(found.group(1)) if found else None


def processor_seconds(log):
    """Sum over the stages in the line of a run's report that tells them."""
    lines = [line for line in log.read_text().splitlines() if "processor time: " in line] if log.exists() else []
    return sum(float(seconds) for seconds in re.findall(rf"({NUMBER}) s\b", lines[-1])) if lines else None


def row_of(folder, config):
    name, seed = folder.parent.name, folder.name.removeprefix("seed")
    failed = folder / "failed.txt"
    if failed.exists():
        return dict(zip(COLUMNS, (name, seed, *[None] * 10, failed.read_text().strip())))
    evaluation = json.loads((folder / "evaluation.json").read_text())
    known, log_z, error = known_log_z(evaluation, config), evaluation["log_z"], evaluation["log_z_stderr"]
    z = None if None in (known, log_z, error) or error == 0 else (log_z - known) / error
    return dict(zip(COLUMNS, (name, seed, evaluation["ess"], evaluation["lineage_ess"], evaluation["ess_forward_pilot"], log_z, error, known, z,
                              evaluation["target_values"], evaluation["target_gradients"], processor_seconds(folder / "log.txt"),
                              " ".join(evaluation["diagnosis"]) or "sound as far as it shows")))


def written(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1e4 else f"{value:.4g}" if abs(value) < 100 else f"{value:.2f}"
    return str(value)


def draw(rows, path):
    rows = [row for row in rows if row["ESS"] is not None]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 1.5 + 0.22 * len(rows)), sharey=True, layout="constrained")
    labels = [f"{row['problem']} ({row['seed']})" for row in rows]
    places = range(len(rows))
    left.barh(places, [row["ESS"] for row in rows], color="#9ecae1", label="ESS")
    left.plot([row["lineage ESS"] for row in rows], places, "k|", markersize=9, label="lineage ESS")
    left.set(xlim=(0, 1), xlabel="share of the particles", yticks=list(places), yticklabels=labels)
    left.invert_yaxis()
    left.legend(loc="lower left")
    known = [(place, row["z"]) for place, row in zip(places, rows) if row["z"] is not None]
    right.axvspan(-2, 2, color="#e5f5e0")
    right.plot([max(-8, min(8, z)) for _, z in known], [place for place, _ in known], "o", color="#2a6f97")
    right.set(xlim=(-8.5, 8.5), xlabel="error of log Z in standard errors (cut at 8)")
    figure.savefig(path, dpi=130)


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    output, configs = map(pathlib.Path, arguments)
    folders = sorted(path.parent for pattern in ("*/seed*/evaluation.json", "*/seed*/failed.txt") for path in output.glob(pattern))
    if not folders:
        print(f"problems.py: {output} holds no NAME/seedK/evaluation.json", file=sys.stderr)
        return 3
    rows = [row_of(folder, configs / f"{folder.parent.name}.ini") for folder in dict.fromkeys(folders)]
    with open(output / "problems.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(written(row[column]) for column in COLUMNS) + " |" for row in rows]
    within = [abs(row["z"]) <= 1.96 for row in rows if row["z"] is not None]
    if within:
        lines += ["", f"Of {len(within)} errors of log Z that can be told, {sum(within)} are within 1.96 standard errors."]
    text = "\n".join(lines) + "\n"
    (output / "problems.md").write_text(text)
    print(text, end="")
    draw(rows, output / "problems.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

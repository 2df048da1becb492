"""Runs tools/experiments.py on evaluations made here and reads its table: experiments.py SOURCE SCRATCH"""
import csv
import json
import pathlib
import shutil
import subprocess
import sys

source, scratch = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
sys.path.insert(0, str(source / "tools"))
import plotting  # noqa: E402,F401  first: starts again with the system's Python where this one lacks a package
import h5py  # noqa: E402
import matplotlib.image  # noqa: E402
import numpy as np  # noqa: E402

TOOL = source / "tools/experiments.py"


def run_tool(*arguments):
    return subprocess.run([str(TOOL), *map(str, arguments)], capture_output=True, text=True)


def evaluation(ess, **others):
    known = {"ess": ess, "ess_forward": ess - 0.1, "log_z": 0.5, "log_z_exact": 0.25, "nll": 3.5, "nll_floor": 3.0, "energy_distance": 0.02,
             "energy_distance_floor": 0.01, "action": 7.0, "escaped": 1, "nonfinite": 2, "step_underflow": 3, "max_steps": 4, "seconds_train": 120.0}
    return json.dumps({**known, **others})


shutil.rmtree(scratch, ignore_errors=True)
for seed, ess in ((1, 0.9), (2, 0.8)):
    folder = scratch / f"rings/linear_scale3/seed{seed}"
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_text(evaluation(ess))
folder = scratch / "rings/linear_scale3/seed3"
folder.mkdir()
(folder / "failed.txt").write_text("diverged\n")
folder = scratch / "two_modes/gradient-flow_scale1/seed1"
folder.mkdir(parents=True)
(folder / "evaluation.json").write_text(evaluation(0.99, log_z_exact=None))
(scratch / "velocity").mkdir()
(scratch / "velocity/velocity_explosion_networks.csv").write_text(
    "run,velocity_norm\n" + "".join(f"{scratch}/rings/linear_scale3/seed{seed},{norm}\n" for seed, norm in ((1, 5), (1, 50), (2, 30))))

result = run_tool(scratch)
assert result.returncode == 0, result.stderr
with open(scratch / "experiments.csv", newline="") as file:
    rows = list(csv.DictReader(file))
assert [(row["target"], row["curve"], row["latent_scale"]) for row in rows] == [("two_modes", "gradient-flow", "1.0"), ("rings", "linear", "3.0")], rows
assert (rows[1]["seeds"], rows[1]["failures"]) == ("2", "1"), rows[1]
# Mean and standard deviation of 0.9 and 0.8; the largest norm of each run, 50 and 30.
assert abs(float(rows[1]["ess"]) - 0.85) < 1e-12 and abs(float(rows[1]["ess_spread"]) - 0.1 / 2**0.5) < 1e-12, rows[1]
assert float(rows[1]["largest_velocity_norm"]) == 40 and float(rows[1]["log_z_error"]) == 0.25 and float(rows[1]["failed_particles"]) == 10, rows[1]
assert rows[0]["log_z_error"] == "", rows[0]
table = (scratch / "experiments.md").read_text()
assert "| rings | linear | 3 | 2 (1 failed) | 0.8500 ± 0.0707 | 0.7500 ± 0.0707 |" in table, table
assert table in result.stdout
picture = matplotlib.image.imread(scratch / "experiments.png")[..., :3]
assert (picture.min(2) < 0.9).mean() > 0.01, "a blank picture"

# 10 steps a second behind the first hundred, which were slower: 950 in a hundred seconds less 5 %.
with h5py.File(scratch / "metrics.h5", "w") as file:
    file["training/step"] = np.array([50, 100, 150, 200])
    file["training/seconds"] = np.array([20.0, 40.0, 45.0, 50.0])
result = run_tool("--steps-in", 100, scratch)
assert (result.returncode, result.stdout.strip()) == (0, "950"), result
result = run_tool(scratch / "nowhere")
assert result.returncode == 3 and "jobs/paper/experiments.sh" in result.stderr, result.stderr
assert run_tool().returncode == 2 and run_tool("--help").returncode == 0
print("experiments: table, figure and refusals as expected")

#!/usr/bin/env python3
"""What checkpoints cost a training: with and without reading every one back, beside the same training without any.

  tests/perf/checkpoints.py --build build/release [--configurations gmm40,many_well_8] [--steps 60] [--rounds 5] [--ranks 1] [--interval 60]

The shipped configurations train for --steps steps in three ways, in turn: with a checkpoint after every step, with one that is verified
(training.verify-checkpoints), and without. The difference of the training times over the number of checkpoints is the whole cost of one:
gathering collocation points, composing the file, synchronizing it and its folder with the disk, renaming. Medians over the rounds are
printed, and the share of a run that writes one every --interval seconds of training. Ends with 1 where that share is above 1 %, or what
verifying adds above 2 %.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import plotting  # noqa: E402,F401  first: starts again with the system's Python where this one lacks a package
import h5py  # noqa: E402

MOST_WRITING, MOST_VERIFYING = 0.01, 0.02  # shares of a run


def main():
    options = arguments()
    program = next((path for path in pathlib.Path(options.build).rglob("boltzcurve") if path.is_file() and os.access(path, os.X_OK)), None)
    if program is None:
        sys.exit(f"checkpoints.py: no boltzcurve under {options.build}: build it there")
    print(f"a checkpoint every {options.interval:g} s of training; medians of {options.rounds} rounds of {options.steps} steps, "
          f"{options.ranks} rank(s)")
    print(f"{'configuration':<16}{'step [ms]':>11}{'size [KiB]':>12}{'write [ms]':>12}{'share':>10}{'verify [ms]':>13}{'share':>10}")
    within = True
    for name in options.configurations.split(","):
        step, size, write, verify = measure(program.resolve(), name, options)
        shares = write / options.interval, verify / options.interval
        within = within and shares[0] <= MOST_WRITING and shares[1] <= MOST_VERIFYING
        print(f"{name:<16}{1e3 * step:>11.2f}{size / 1024:>12.0f}{1e3 * write:>12.2f}{shares[0]:>10.4%}{1e3 * verify:>13.2f}{shares[1]:>10.4%}",
              flush=True)
    print("within" if within else "NOT within", f"{MOST_WRITING:.0%} for writing and {MOST_VERIFYING:.0%} for verifying")
    return 0 if within else 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--configurations", default="gmm40,many_well_8")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--interval", type=float, default=60)
    return parser.parse_args()


def measure(program, name, options):
    """Seconds a step, bytes of a checkpoint, seconds for writing one, and those that verifying it adds: medians of differences in a round."""
    ways = {"none": [], "written": ["--training.checkpoint-steps=1"],
            "verified": ["--training.checkpoint-steps=1", "--training.verify-checkpoints=yes"]}
    steps, writes, verifications, size = [], [], [], 0
    written = options.steps - 1  # the last is written when the clock has stopped
    for round_number in range(options.rounds):
        seconds = {}
        order = list(ways) if round_number % 2 == 0 else list(ways)[::-1]
        for way in order:
            with tempfile.TemporaryDirectory(dir=options.build, prefix="checkpoints-") as folder:
                seconds[way], size = train(program, name, pathlib.Path(folder) / "out", ways[way], options)
        steps.append(seconds["none"] / options.steps)
        writes.append((seconds["written"] - seconds["none"]) / written)
        verifications.append((seconds["verified"] - seconds["written"]) / written)
    return statistics.median(steps), size, statistics.median(writes), statistics.median(verifications)


def train(program, name, output, more, options):
    """Seconds of training, without what comes before it, and bytes of the checkpoint."""
    command = [program, "train", "--config", ROOT / f"jobs/configs/{name}.ini", "--output", output,
               f"--training.steps={options.steps}", f"--training.log-every={options.steps}", "--training.evaluate-every=0",
               "--training.checkpoint-seconds=0", *more]
    if options.ranks > 1:
        command = ["mpirun", "-n", options.ranks, *command]
    environment = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment, check=False)
    if result.returncode != 0:
        sys.exit(f"checkpoints.py: {' '.join(map(str, command))} failed with code {result.returncode}:\n{result.stderr[-2000:]}")
    with h5py.File(output / "metrics.h5") as metrics:
        return float(metrics["training/seconds"][-1]), (output / "checkpoint.h5").stat().st_size


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Useful GFLOP/s of residual and parameter gradient beside the matrix product that bounds them and beside other programs.

  tests/perf/compare.py --build build/release [--peers DIR --python VENV/bin/python] [--rounds 3] [--core 0] [--json FILE]

Everything runs in turn, pinned to one core, several rounds; medians are printed, since only numbers of one run on one core compare.
--peers names a folder with residual_jax.py and residual_torch.py, which take --dimension --target --width --hidden --batch and print one JSON
line per variant with "useful_gflops"; --python the interpreter that has what they import.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

CASES = [(2, 64, 3, 4096), (2, 128, 4, 4096), (8, 128, 4, 4096), (32, 128, 4, 1024), (2, 512, 4, 1024), (8, 512, 4, 1024)]
QUICK = [(2, 64, 3, 4096), (8, 128, 4, 4096)]


def name_of(case):
    return "D{}/W{}/L{}/N{}".format(*case)


def pinned(core, command):
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    result = subprocess.run(["taskset", "-c", str(core), *command], capture_output=True, text=True, env=environment, check=False)
    if result.returncode != 0:
        sys.exit(f"compare.py: {' '.join(command)} failed with code {result.returncode}:\n{result.stderr[-2000:]}")
    return result.stdout


def ours(core, build, cases):
    """{benchmark name: useful GFLOP/s} of our kernel, the whole step and the products that bound them."""
    program = next((str(path) for path in pathlib.Path(build).rglob("boltzcurve_benchmark") if os.access(path, os.X_OK)), None)
    if program is None:
        sys.exit(f"compare.py: no boltzcurve_benchmark under {build}: configure with BOLTZCURVE_BENCHMARKS=ON and build")
    wanted = "|".join(["ceiling/sgemm"] + [f"(residual|step)/float/{name_of(case)}/" for case in cases])
    out = pinned(core, [program, f"--benchmark_filter={wanted}", "--benchmark_format=json", "--benchmark_min_time=1"])
    return {row["name"].removesuffix("/real_time"): row["useful_gflops"] for row in json.loads(out)["benchmarks"]}


def peer(core, python, script, case):
    """Best variant of one script on one case."""
    dimension, width, hidden, batch = case
    target = "gmm40" if dimension == 2 else "many-well"
    out = pinned(core, [python, str(script), "--dimension", str(dimension), "--target", target, "--width", str(width), "--hidden", str(hidden),
                        "--batch", str(batch), "--variants", "forward_laplacian"])
    return max(json.loads(line)["useful_gflops"] for line in out.splitlines() if line.startswith("{"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True, help="build folder")
    parser.add_argument("--peers", type=pathlib.Path, help="folder of the other programs' scripts")
    parser.add_argument("--python", default=sys.executable, help="interpreter for --peers")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="two cases only")
    parser.add_argument("--json", type=pathlib.Path, help="write the rows there too")
    options = parser.parse_args()
    cases = QUICK if options.quick else CASES

    runs, peers = [], {}
    for turn in range(options.rounds):
        print(f"round {turn + 1} of {options.rounds}", file=sys.stderr, flush=True)
        runs.append(ours(options.core, options.build, cases))
        if options.peers:
            for script in ("residual_jax.py", "residual_torch.py"):
                for case in cases:
                    peers.setdefault((script, case), []).append(peer(options.core, options.python, options.peers / script, case))

    def median(name):
        return statistics.median(run[name] for run in runs)

    ceiling = max(median(name) for name in runs[0] if name.startswith("ceiling/"))
    rows = []
    for case in cases:
        jax, torch = (statistics.median(peers[script, case]) if options.peers else None for script in ("residual_jax.py", "residual_torch.py"))
        for kind in ("residual", "step"):
            speed = median(f"{kind}/float/{name_of(case)}")
            rows.append(dict(kind=kind, case=name_of(case), ours_gflops=round(speed, 1), ceiling_gflops=round(ceiling, 1),
                             fraction_of_ceiling=round(speed / ceiling, 3),
                             ratio_to_jax=round(speed / jax, 2) if jax else None, ratio_to_torch=round(speed / torch, 2) if torch else None,
                             ratio_to_best_peer=round(speed / max(jax, torch), 2) if jax else None))
    columns = list(rows[0])
    print("  ".join(f"{column:>20}" for column in columns))
    for row in rows:
        print("  ".join(f"{'-' if row[column] is None else row[column]:>20}" for column in columns))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

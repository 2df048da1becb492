#!/usr/bin/env python3
"""How fast the program is beside what bounds it and beside other programs, all in one run on the same cores.

  tests/perf/compare.py --build build/release [--peers DIR --python VENV/bin/python] [--rounds 3] [--cores 0,1]
                        [--json FILE] [--csv FILE] [--picture FILE] [--baseline tests/perf/baseline.json] [--quick]
  tests/perf/compare.py --rows FILE [--csv FILE] [--picture FILE] [--baseline tests/perf/baseline.json]

Kinds of rows:
  residual  residual and its parameter gradient on one core: useful GFLOP/s, 6 width^2 (D+3) flops per hidden layer and point
  step      the whole training step around it: points, energies, sum over chunks, optimizer
  sampling  particles per second along a given network's flow, with log density, at equal precision and tolerance, and the error reached
  ranks     training on two ranks and two cores against one, and what the reproducible sum costs
  write     frames of particles through the file layer against plain MPI-IO

Everything runs in turn, several rounds, pinned; medians are printed, since only numbers of one run on one machine compare. The ceiling is
the best matrix product of OpenBLAS (sgemm, dgemm) on shapes that stay in the cache. --peers names a folder with residual_jax.py,
residual_torch.py, sampling_diffrax.py, sampling_torchdiffeq.py and export_net.py, --python the interpreter that has what they import.
--baseline compares the ratios with those of a file, and --write-baseline makes that file. --rows takes what an earlier --json wrote and
measures nothing.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

# (D, width, hidden layers, points)
CASES = [(1, 16, 2, 256), (2, 32, 2, 1024), (2, 64, 3, 4096), (2, 128, 4, 4096), (8, 128, 4, 4096), (32, 128, 4, 1024), (2, 512, 4, 1024),
         (8, 512, 4, 1024)]
QUICK_CASES = [(2, 64, 3, 4096), (8, 128, 4, 4096)]
SAMPLING = [("gmm40", 2), ("many-well", 8)]
TOLERANCES = (1e-4, 1e-6)
DTYPES = {"float": "float32", "double": "float64"}  # a precision's name here and in the peers' scripts
# Ratios that do not depend much on the machine: what a baseline keeps.
RATIOS = ("fraction_of_ceiling", "ratio_to_jax", "ratio_to_torch", "speedup", "weak_scaling", "fast_over_reproducible", "fraction_of_plain")
OURS, TORCH, JAX = "#1b6ca8", "#e08e45", "#8ab17d"  # colors
ALLOWED_LOSS = 0.15  # shared machines differ by this from one day to the next


def say(text):
    print(text, file=sys.stderr, flush=True)


def name_of(case):
    return "D{}/W{}/L{}/N{}".format(*case)


class Machine:
    """Runs commands pinned to cores, one thread a process."""

    def __init__(self, options):
        self.options = options
        self.cores = options.cores.split(",")
        self.environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
                                OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        # A choice of kernels for another processor would lower the ceiling: OpenBLAS looks for itself.
        self.environment.pop("OPENBLAS_CORETYPE", None)

    def run(self, command, cores=1, ranks=0):
        prefix = ["taskset", "-c", ",".join(self.cores[:cores])]
        if ranks:
            prefix += ["mpirun", "-n", str(ranks), "--bind-to", "none" if ranks == 1 else "core"]
        command = [*prefix, *map(str, command)]
        result = subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False)
        if result.returncode != 0:
            sys.exit(f"compare.py: {' '.join(command)} failed with code {result.returncode}:\n{result.stderr[-2000:]}")
        return result.stdout

    def program(self, name):
        found = next((path for path in pathlib.Path(self.options.build).rglob(name) if os.access(path, os.X_OK) and path.is_file()), None)
        if found is None:
            sys.exit(f"compare.py: no {name} under {self.options.build}: configure with BOLTZCURVE_BENCHMARKS=ON and build")
        return found

    def peer(self, script, *arguments):
        """The rows that a peer's script prints."""
        out = self.run([self.options.python, self.options.peers / script, *arguments])
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


class Samples:
    """Values by key, one a round; their medians."""

    def __init__(self):
        self.values = {}

    def add(self, key, value):
        self.values.setdefault(key, []).append(value)

    def median(self, *key):
        found = self.values.get(key)
        return statistics.median(found) if found else None


def ratio(a, b, digits=2):
    return round(a / b, digits) if a and b else None


def measure_kernels(machine, cases, samples):
    names = "|".join(name_of(case) + "/" for case in cases)
    out = machine.run([machine.program("boltzcurve_benchmark"), f"--benchmark_filter=ceiling/|(residual|step)/(float|double)/({names})",
                       "--benchmark_format=json", "--benchmark_min_time=0.5"])
    for row in json.loads(out)["benchmarks"]:
        samples.add((row["name"].removesuffix("/real_time"),), row["useful_gflops"])


def measure_residual_peers(machine, cases, samples):
    for dimension, width, hidden, batch in cases:
        if dimension % 2:
            continue  # the peers have targets of even dimension only
        for script in ("residual_jax.py", "residual_torch.py"):
            for precision, dtype in DTYPES.items():
                target = "gmm40" if dimension == 2 else "many-well"
                rows = machine.peer(script, "--dimension", dimension, "--target", target, "--width", width, "--hidden", hidden,
                                    "--batch", batch, "--variants", "forward_laplacian", "--dtype", dtype)
                samples.add((script, precision, (dimension, width, hidden, batch)), max(row["useful_gflops"] for row in rows))


def kernel_rows(cases, samples):
    rows = []
    for kind in ("residual", "step"):
        for precision, product in (("float", "sgemm"), ("double", "dgemm")):
            ceiling = max(samples.median(key[0]) for key in samples.values if str(key[0]).startswith(f"ceiling/{product}"))
            for case in cases:
                speed = samples.median(f"{kind}/{precision}/{name_of(case)}")
                jax, torch = (samples.median(script, precision, case) for script in ("residual_jax.py", "residual_torch.py"))
                rows.append(dict(kind=kind, case=name_of(case), precision=precision, ours_gflops=round(speed, 1),
                                 ceiling_gflops=round(ceiling, 1), fraction_of_ceiling=ratio(speed, ceiling, 3),
                                 ratio_to_jax=ratio(speed, jax), ratio_to_torch=ratio(speed, torch),
                                 ratio_to_best_peer=ratio(speed, max(jax or 0, torch or 0))))
    return rows


def measure_sampling(machine, folder, targets, samples):
    for target, dimension in targets:
        network = folder / f"{target}.h5"
        if not network.exists():
            machine.run([machine.options.python, machine.options.peers / "export_net.py", "--target", target, "--dimension", dimension,
                         "--output", network])
        for tolerance in TOLERANCES:
            for precision in DTYPES:
                row = json.loads(machine.run([machine.program("boltzcurve_sampling_benchmark"), network, tolerance, precision]))
                samples.add((target, tolerance, precision), row["particles_per_second"])
                samples.add((target, tolerance, precision, "error"), row["error_median"])
        for script in ("sampling_diffrax.py", "sampling_torchdiffeq.py"):
            for precision, dtype in DTYPES.items():
                rows = machine.peer(script, "--target", target, "--dimension", dimension, "--tolerances", *TOLERANCES, "--dtype", dtype)
                for row in rows:
                    samples.add((target, row["tolerance"], precision, script), row["particles_per_second"])
                    samples.add((target, row["tolerance"], precision, script, "error"), row["error_median"])


def sampling_rows(targets, samples):
    rows = []
    for target, dimension in targets:
        for tolerance in TOLERANCES:
            for precision in DTYPES:
                key = (target, tolerance, precision)
                speed = samples.median(*key)
                jax, torch = (samples.median(*key, script) for script in ("sampling_diffrax.py", "sampling_torchdiffeq.py"))
                rows.append(dict(kind="sampling", case=f"{target}/D{dimension}/W64/L3/tolerance{tolerance:g}", precision=precision,
                                 ours_particles_per_second=round(speed, 1), error=samples.median(*key, "error"),
                                 error_jax=samples.median(*key, "sampling_diffrax.py", "error"),
                                 error_torch=samples.median(*key, "sampling_torchdiffeq.py", "error"),
                                 ratio_to_jax=ratio(speed, jax), ratio_to_torch=ratio(speed, torch),
                                 ratio_to_best_peer=ratio(speed, max(jax or 0, torch or 0))))
    return rows


RANK_CASES = [(2, 128, 4, 4096), (2, 64, 3, 4096)]


def measure_ranks(machine, samples, seconds):
    for dimension, width, hidden, points in RANK_CASES:
        for ranks, points_of_all in ((1, points), (2, points), (2, 2 * points)):
            row = json.loads(machine.run([machine.program("boltzcurve_ranks_benchmark"), dimension, width, hidden, points_of_all, seconds],
                                         cores=ranks, ranks=ranks))
            key = (dimension, width, hidden, points), ranks, points_of_all
            samples.add((*key, "reproducible"), row["seconds_reproducible"])
            samples.add((*key, "fast"), row["seconds_fast"])


def rank_rows(samples):
    rows = []
    for case in RANK_CASES:
        points = case[3]
        one, two, twice = (samples.median(case, ranks, n, "reproducible") for ranks, n in ((1, points), (2, points), (2, 2 * points)))
        fast = samples.median(case, 2, points, "fast")
        rows.append(dict(kind="ranks", case=name_of(case), precision="float", milliseconds_one_rank=round(1e3 * one, 3),
                         milliseconds_two_ranks=round(1e3 * two, 3), speedup=ratio(one, two, 3), weak_scaling=ratio(one, twice, 3),
                         fast_over_reproducible=ratio(fast, two, 3)))
    return rows


def measure_write(machine, folder, samples, particles, frames):
    for ranks in (1, 2):
        row = json.loads(machine.run([machine.program("boltzcurve_write_benchmark"), folder, particles, frames], cores=ranks, ranks=ranks))
        samples.add((ranks, "ours"), row["mib_per_second"])
        samples.add((ranks, "plain"), row["plain_mib_per_second"])
        samples.add((ranks, "fraction"), row["fraction_of_plain"])
        samples.add((ranks, "memory"), row["memory_mib"])


def write_rows(samples, particles, frames):
    return [dict(kind="write", case=f"N{particles}/T{frames}/R{ranks}", precision="double", ours_mib_per_second=samples.median(ranks, "ours"),
                 plain_mib_per_second=samples.median(ranks, "plain"),
                 fraction_of_plain=round(samples.median(ranks, "fraction"), 3), memory_mib=samples.median(ranks, "memory")) for ranks in (1, 2)]


def print_tables(rows):
    for kind in dict.fromkeys(row["kind"] for row in rows):
        table = [row for row in rows if row["kind"] == kind]
        columns = list(table[0])
        widths = {column: max(len(column), *(len(str(row[column])) for row in table)) for column in columns}
        print("  ".join(f"{column:>{widths[column]}}" for column in columns))
        for row in table:
            print("  ".join(f"{'-' if row[column] is None else row[column]:>{widths[column]}}" for column in columns))
        print()


def write_csv(path, rows):
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def draw(path, rows):
    """Bars of the residual's useful GFLOP/s and of particles per second, ours and the peers'."""
    import matplotlib  # noqa: PLC0415  only --picture needs it
    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415
    residual, sampling = ([row for row in rows if row["kind"] == kind and row["precision"] == "float"] for kind in ("residual", "sampling"))
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.2), width_ratios=(2, 1), constrained_layout=True)

    def bars(axes, place, heights, label, color, **more):
        axes.bar([i + 0.27 * place for i in range(len(heights))], heights, 0.25, label=label, color=color, **more)

    def peer_speeds(table, ours, ratio_to_peer):
        return [row[ours] / row[ratio_to_peer] if row[ratio_to_peer] else 0 for row in table]

    speeds = [row["ours_gflops"] for row in residual]
    channels = [int(row["case"].split("/")[0][1:]) + 2 for row in residual]  # carried; the count has one more
    executed = [speed * count / (count + 1) for speed, count in zip(speeds, channels)]
    bars(left, -1, executed, "boltzcurve, executed", OURS)
    bars(left, -1, [speed - part for speed, part in zip(speeds, executed)], "counted, not needed", OURS, bottom=executed, alpha=0.4)
    bars(left, 0, peer_speeds(residual, "ours_gflops", "ratio_to_torch"), "PyTorch", TORCH)
    bars(left, 1, peer_speeds(residual, "ours_gflops", "ratio_to_jax"), "JAX", JAX)
    if residual:
        left.axhline(residual[0]["ceiling_gflops"], color="black", linewidth=1, linestyle="--", label="OpenBLAS sgemm")
    left.set_xticks(range(len(residual)), [label_of(row["case"]) for row in residual], fontsize=8)
    left.set_ylabel("useful GFLOP/s")
    left.set_title("Residual and parameter gradient, float, one core", fontsize=10)

    bars(right, -1, [row["ours_particles_per_second"] for row in sampling], "boltzcurve", OURS)
    bars(right, 0, peer_speeds(sampling, "ours_particles_per_second", "ratio_to_torch"), "torchdiffeq", TORCH)
    bars(right, 1, peer_speeds(sampling, "ours_particles_per_second", "ratio_to_jax"), "diffrax", JAX)
    right.set_yscale("log")
    right.set_xticks(range(len(sampling)), [sampling_label_of(row["case"]) for row in sampling], fontsize=8)
    right.set_ylabel("particles/s")
    right.set_title("Sampling, width 64, float, one core", fontsize=10)
    for axes, columns in ((left, 3), (right, 3)):
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * (1.12 if axes is left else 3))  # room for the legend
        axes.legend(frameon=False, fontsize=8, ncols=columns, loc="upper left")
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def label_of(case):
    """D2/W64/L3/N4096: dimension and width, which matter most, above the rest."""
    dimension, width, hidden, points = (part[1:] for part in case.split("/"))
    return f"D = {dimension}\nwidth {width}\n{hidden} layers\n{points} points"


def sampling_label_of(case):
    target, dimension, *_, tolerance = case.split("/")
    return f"{target}\nD = {dimension[1:]}\ntolerance\n{tolerance.removeprefix('tolerance')}"


def ratios_of(rows):
    return {f"{row['kind']}/{row['precision']}/{row['case']}/{name}": row[name] for row in rows for name in RATIOS if row.get(name)}


def compare_with_baseline(path, rows):
    """0 if no ratio fell by more than ALLOWED_LOSS below the baseline's, else 1."""
    baseline, now = json.loads(pathlib.Path(path).read_text()), ratios_of(rows)
    common = sorted(set(baseline) & set(now))
    lost = [name for name in common if now[name] < (1 - ALLOWED_LOSS) * baseline[name]]
    for name in lost:
        print(f"slower than the baseline: {name}: {now[name]} against {baseline[name]}")
    print(f"{len(common)} ratios compared with {path}: {len(lost)} fell by more than {ALLOWED_LOSS:.0%}")
    return 1 if lost or not common else 0


def measure(options):
    """All rows, medians over the rounds."""
    kinds = options.kinds.split(",")
    machine = Machine(options)
    cases, targets = (QUICK_CASES, SAMPLING[:1]) if options.quick else (CASES, SAMPLING)
    particles, frames = (200_000, 5) if options.quick else (1_000_000, 20)
    kernels, sampling, ranks, write = Samples(), Samples(), Samples(), Samples()
    with tempfile.TemporaryDirectory(dir=options.build) as name:
        folder = pathlib.Path(name)
        for turn in range(options.rounds):
            say(f"round {turn + 1} of {options.rounds}")
            if "residual" in kinds:
                measure_kernels(machine, cases, kernels)
                if options.peers:
                    measure_residual_peers(machine, cases, kernels)
            if "sampling" in kinds and options.peers:  # they bring the network
                measure_sampling(machine, folder, targets, sampling)
            if "ranks" in kinds:
                measure_ranks(machine, ranks, 2 if options.quick else 10)
            if "write" in kinds:
                measure_write(machine, folder, write, particles, frames)
    rows = []
    if kernels.values:
        rows += kernel_rows(cases, kernels)
    if sampling.values:
        rows += sampling_rows(targets, sampling)
    if ranks.values:
        rows += rank_rows(ranks)
    if write.values:
        rows += write_rows(write, particles, frames)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", help="build folder")
    parser.add_argument("--rows", type=pathlib.Path, help="rows of an earlier --json, in place of measuring")
    parser.add_argument("--peers", type=pathlib.Path, help="folder of the other programs' scripts")
    parser.add_argument("--python", default=sys.executable, help="interpreter for --peers")
    parser.add_argument("--cores", default="0,1", help="two cores; what needs one takes the first")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="two residual cases, one sampling target, short runs")
    parser.add_argument("--kinds", default="residual,sampling,ranks,write", help="which to measure; residual brings step")
    parser.add_argument("--json", type=pathlib.Path, help="write the rows there")
    parser.add_argument("--csv", type=pathlib.Path, help="the same as CSV")
    parser.add_argument("--picture", type=pathlib.Path, help="draw the rows of residual and sampling (PNG)")
    parser.add_argument("--baseline", type=pathlib.Path, help="compare ratios with this file; exit code 1 where one fell")
    parser.add_argument("--write-baseline", type=pathlib.Path, help="write ratios for --baseline")
    options = parser.parse_args()
    if not options.build and not options.rows:
        parser.error("--build is needed to measure, or --rows FILE for rows measured before")
    rows = json.loads(options.rows.read_text()) if options.rows else measure(options)
    print_tables(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    if options.csv:
        write_csv(options.csv, rows)
    if options.write_baseline:
        options.write_baseline.write_text(json.dumps(ratios_of(rows), indent=1) + "\n")
    if options.picture:  # after all else: it needs matplotlib
        draw(options.picture, rows)
    return compare_with_baseline(options.baseline, rows) if options.baseline else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Strong scaling of the training step, from what its parts cost on one core and in one node, and from what is assumed of a network.

  tests/perf/scaling_model.py [--OPTION VALUE ...]

A step on P ranks, of a network of n parameters and a batch of `chunks` chunks of 128 points, takes

    t(P) = 128 ceil(chunks / P) t_point  +  n t_parameter  +  t_soap  +  t_sums(P)

The first term is the slowest rank's points, the second what every rank repeats for each parameter (Adam, average, packing, quanta), the third
what SOAP takes beyond Adam, also on every rank. The last is three allreduces: two of a few numbers (the largest partial sums; whether to
stop) and one of n 64-bit integers. One of m bytes within a node, or between nodes, costs

    2 log2(r) alpha + 2 (r-1)/r m / bandwidth,      r ranks or nodes

A node's ranks are summed first, then the nodes (one message of all a node's ranks uses its network card), so that both add up. There is no
overlap of sums and computation. Prints two tables.
"""
import argparse
import math
import sys

CHUNK_POINTS = 128
CASES = [(width, batch) for width in (128, 512) for batch in (4096, 65536)]
RANKS = (1, 16, 256, 4096)
OPTIMIZERS = ("Adam", "SOAP")
SMALL_SUMS = 2  # allreduces of a few numbers in a step

# name, default, what it is
PARAMETERS = (
    ("gflops_128", 104.5, "measured: useful GFLOP/s of a core on points, width 128"),
    ("gflops_512", 109.7, "measured: the same, width 512"),
    ("parameter_ns_128", 11.0, "measured: per parameter and step, on every rank, width 128 [ns]"),
    ("parameter_ns_512", 16.0, "measured: the same, width 512 [ns]"),
    ("soap_ms_128", 2.4, "measured: SOAP's update without Adam's, width 128 [ms]"),
    ("soap_ms_512", 128.0, "measured: the same, width 512 [ms]"),
    ("node_latency_us", 0.15, "measured with two ranks: alpha within a node [us]"),
    ("node_bandwidth", 7.5, "measured with two ranks: within a node, per rank [GB/s]"),
    ("network_latency_us", 2.0, "assumed: alpha between nodes [us]"),
    ("network_bandwidth", 25.0, "assumed: of a node's network card [GB/s]"),
    ("ranks_per_node", 64, "assumed"),
    ("dimension", 8, "D"),
    ("hidden_layers", 4, "of the network"),
)


def parameter_count(width, hidden_layers, dimension):
    return (dimension + 1) * width + width + (hidden_layers - 1) * (width + 1) * width + width + 1


def useful_flops_per_point(width, hidden_layers, dimension):
    return 6 * width**2 * (dimension + 3) * (hidden_layers - 1)


def allreduce_seconds(ranks, size, latency, bandwidth):
    return 2 * math.log2(ranks) * latency + 2 * (ranks - 1) / ranks * size / bandwidth


class Model:
    def __init__(self, given, width, batch):
        self.given = given
        self.chunks = -(-batch // CHUNK_POINTS)
        self.parameters = parameter_count(width, given.hidden_layers, given.dimension)
        rate = getattr(given, f"gflops_{width}") * 1e9
        self.repeated = {"Adam": self.parameters * getattr(given, f"parameter_ns_{width}") * 1e-9}
        self.repeated["SOAP"] = self.repeated["Adam"] + getattr(given, f"soap_ms_{width}") * 1e-3
        self.seconds_per_chunk = CHUNK_POINTS * useful_flops_per_point(width, given.hidden_layers, given.dimension) / rate

    def points(self, ranks):
        return -(-self.chunks // ranks) * self.seconds_per_chunk

    def sums(self, ranks):
        given = self.given
        in_node, nodes = min(ranks, given.ranks_per_node), -(-ranks // given.ranks_per_node)
        return sum(allreduce_seconds(in_node, size, given.node_latency_us * 1e-6, given.node_bandwidth * 1e9) +
                   allreduce_seconds(nodes, size, given.network_latency_us * 1e-6, given.network_bandwidth * 1e9)
                   for size in (*[0] * SMALL_SUMS, 8 * self.parameters))

    def step(self, ranks, optimizer):
        return self.points(ranks) + self.repeated[optimizer] + self.sums(ranks)

    def speed_up(self, ranks, optimizer):
        return self.step(1, optimizer) / self.step(ranks, optimizer)

    def most_ranks(self, efficiency, optimizer):
        """The largest power of two, up to as many ranks as there are chunks, that is at least so efficient."""
        powers = [2**k for k in range(self.chunks.bit_length()) if 2**k <= self.chunks]
        return max(ranks for ranks in powers if self.speed_up(ranks, optimizer) >= efficiency * ranks)


def print_table(columns, rows):
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def number(value):
    """Three significant digits, without an exponent."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value else "0"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name, default, meaning in PARAMETERS:
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, type=type(default), default=default, metavar="X", help=f"{meaning} ({default})")
    given = parser.parse_args()
    steps, ends = [], []
    for width, batch in CASES:
        model = Model(given, width, batch)
        last = model.chunks
        for ranks in sorted({*RANKS, last}):
            seconds = [model.points(ranks), model.sums(ranks)]
            row = [str(width), str(batch), str(ranks), str(min(ranks, last)), *(number(1e3 * part) for part in seconds)]
            for optimizer, repeated in model.repeated.items():
                row += [number(1e3 * repeated), number(1e3 * model.step(ranks, optimizer)), f"{model.speed_up(ranks, optimizer) / ranks:.3f}"]
            steps.append(row)
        for optimizer in OPTIMIZERS:
            most = [str(model.most_ranks(efficiency, optimizer)) for efficiency in (0.9, 0.5)]
            share = min(model.sums(last), model.points(last)) / model.step(last, optimizer)
            ends.append([str(width), str(batch), optimizer, *most, str(last), number(model.speed_up(last, optimizer)), f"{share:.1%}"])
    of_each = [f"{optimizer}: {what}" for optimizer in OPTIMIZERS for what in ("repeated, ms", "step, ms", "efficiency")]
    print_table(["width", "batch", "ranks", "with work", "points, ms", "sums, ms", *of_each], steps)
    print_table(["width", "batch", "optimizer", "ranks at 90 % efficiency", "at 50 %", "with one chunk each", "speed-up there",
                 "share of sums there"], ends)
    return 0


if __name__ == "__main__":
    sys.exit(main())

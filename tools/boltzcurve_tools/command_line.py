"""boltzcurve-tools: looks at what boltzcurve wrote.

Exit codes: 0 done, 1 internal error, 2 wrong usage or a Python package is missing, 3 a file is missing or not what it should be.
"""
from __future__ import annotations

import argparse
import pathlib
import sys
from typing import Callable, Sequence

from . import __version__
from .errors import DONE, InputError, ToolError, UsageError

FORMATS = ("png", "svg", "pdf")


def plot(options: argparse.Namespace) -> int:
    from .draw.overview import draw_overview
    from .draw.pictures import BY_NAME, PICTURES, make_picture
    from .draw.style import save, set_caption_above
    from .progress import tracked
    from .runs import read_run

    source: pathlib.Path = options.source
    if is_sweep(source):
        return plot_sweep(options)
    names = options.what or ["overview"]
    names = ["overview", *BY_NAME] if names == ["all"] else names
    unknown = [name for name in names if name not in BY_NAME and name != "overview"]
    if unknown:
        raise UsageError(f"unknown picture {unknown[0]}; of a run there are overview, {', '.join(picture.name for picture in PICTURES)}, all")
    if options.output and len(names) > 1:
        raise UsageError("--output names one file, but several pictures were asked for; leave it out, and they go into the run's folder")
    run = read_run(source)
    for name in tracked(names, "pictures"):
        file = options.output or source / f"{'run' if name == 'overview' else name}.{options.format}"
        if name == "overview":
            draw_overview(run, file)
        else:
            try:
                figure, caption = make_picture(BY_NAME[name], run)
            except ToolError as error:
                if options.what != ["all"]:
                    raise
                print(f"left out {name}: {error}", file=sys.stderr)
                continue
            set_caption_above(figure, caption)
            save(figure, file, dpi=150, facecolor="white")
        print(f"picture: {file}")
    return DONE


def plot_sweep(options: argparse.Namespace) -> int:
    from .draw.style import save, set_caption_above
    from .draw.sweeps import default_pair, make_heat_map, make_parallel_coordinates, make_scatter
    from .sweeps import read_sweep

    sweep = read_sweep(options.source)
    metric = options.metric or ("ess" if "ess" in sweep.metrics else sweep.metrics[0] if sweep.metrics else "ess")
    pair = (options.across, options.up) if options.across and options.up else default_pair(sweep)
    names = options.what or ["parallel", *(["heatmap"] if pair else [])]
    names = ["parallel", "heatmap", "scatter"] if names == ["all"] else names
    folder = options.source if options.source.is_dir() else options.source.parent
    for name in names:
        if name == "parallel":
            figure, caption = make_parallel_coordinates(sweep, metric)
        elif name == "heatmap":
            if pair is None:
                raise UsageError(f"a heat map needs two parameters that vary; {sweep.source} has {', '.join(sweep.parameters) or 'none'}")
            figure, caption = make_heat_map(sweep, metric, *pair)
        elif name == "scatter":
            across = options.across or (sweep.parameters[0] if sweep.parameters else "")
            figure, caption = make_scatter(sweep, metric, across)
        else:
            raise UsageError(f"unknown picture {name}; of a sweep there are parallel, heatmap, scatter, all")
        file = options.output or folder / f"sweep_{name}.{options.format}"
        set_caption_above(figure, caption)
        save(figure, file, dpi=150, facecolor="white")
        print(f"picture: {file}")
    return DONE


def report(options: argparse.Namespace) -> int:
    from .report.run_page import run_report
    from .report.sweep_page import sweep_report
    from .runs import read_run, write_whole
    from .sweeps import read_sweep

    source: pathlib.Path = options.source
    folder = source if source.is_dir() else source.parent
    if is_sweep(source):
        sweep = read_sweep(source)
        if options.metric and options.metric not in sweep.metrics:
            raise UsageError(f"{source} has no metric {options.metric}; it has {', '.join(sweep.metrics) or 'none'}")
        text = sweep_report(sweep, options.metric)
    else:
        text = run_report(read_run(source))
    file = options.output or folder / "report.html"
    write_whole(file, text.encode())
    print(f"report: {file}")
    return DONE


def compare(options: argparse.Namespace) -> int:
    from .compare import compare as compared
    from .compare import draw_comparison
    from .runs import read_run

    a, b = read_run(options.first), read_run(options.second)
    print(compared(a, b), end="")
    if options.output:
        draw_comparison(a, b, options.output)
        print(f"picture: {options.output}")
    return DONE


def export(options: argparse.Namespace) -> int:
    from .export import FORMATS
    from .export import export as write
    from .runs import read_run

    file: pathlib.Path = options.output
    if file.suffix not in FORMATS:
        raise UsageError(f"{file}: the suffix says the format: " + ", ".join(f"{suffix} for {reader}" for suffix, (reader, _) in FORMATS.items()))
    write(read_run(options.source, frame_particles=None), file)
    print(f"exported: {file}")
    return DONE


def check(options: argparse.Namespace) -> int:
    from .h5md import VERSION, check_h5md

    done = check_h5md(options.file)
    for violation in done.violations:
        print(f"{violation.where}: {violation.what}")
    standard = f"H5MD {VERSION[0]}.{VERSION[1]}"
    if done.violations:
        raise InputError(f"{options.file} is not {standard}: {len(done.violations)} of {done.rules} rules broken")
    print(f"{options.file} is {standard}: {done.rules} rules looked at, none broken")
    return DONE


def is_sweep(source: pathlib.Path) -> bool:
    """A CSV, or a folder that is no run itself but has runs or a table in it."""
    from .runs import WRITTEN_BY
    from .sweeps import folders_below

    if source.is_file():
        if source.suffix != ".csv":
            raise UsageError(f"{source} is neither a folder nor a CSV of a sweep")
        return True
    if not source.is_dir() or any((source / name).is_file() for name in WRITTEN_BY):
        return False
    return bool(list(source.glob("*.csv")) or folders_below(source))


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="boltzcurve-tools", description="Looks at what boltzcurve wrote.",
                                  epilog="Exit codes: 0 done, 1 internal error, 2 usage or a package is missing, 3 a file")
    top.add_argument("--version", action="version", version=f"boltzcurve-tools {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str, perform: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        added.set_defaults(perform=perform)
        return added

    one = command("plot", "draw a run, or a sweep", plot)
    one.add_argument("source", metavar="DIR|CSV", type=pathlib.Path, help="the --output folder of a run, a folder of runs, or a collected table")
    one.add_argument("--what", action="append", metavar="NAME",
                     help="of a run: overview (default), samples, corner, weights, modes, loss, gradient, residual, quality, trajectories, velocity, all; "
                          "of a sweep: parallel, heatmap, scatter, all; may be repeated")
    one.add_argument("--output", metavar="FILE", type=pathlib.Path, help="where the picture goes (default: into DIR)")
    one.add_argument("--format", choices=FORMATS, default="png", help="of pictures without --output (default: png)")
    one.add_argument("--metric", help="of a sweep (default: ess)")
    one.add_argument("--across", metavar="PARAMETER", help="of a sweep: to the right")
    one.add_argument("--up", metavar="PARAMETER", help="of a sweep: upwards")
    one = command("report", "write one self-contained page of HTML for a run, or a sweep", report)
    one.add_argument("source", metavar="DIR|CSV", type=pathlib.Path, help="the --output folder of a run, a folder of runs, or a collected table")
    one.add_argument("--output", metavar="FILE.html", type=pathlib.Path, help="where the page goes (default: DIR/report.html)")
    one.add_argument("--metric", help="what the report of a sweep is about (default: ess)")
    one = command("compare", "two runs: options, metrics and bits that differ", compare)
    one.add_argument("first", metavar="A", type=pathlib.Path)
    one.add_argument("second", metavar="B", type=pathlib.Path)
    one.add_argument("--output", metavar="FILE", type=pathlib.Path, help="draw loss and weights of both into a picture")
    one = command("export", "write a run for other programs: FILE.vtkhdf (ParaView), FILE.npz (numpy), FILE.nc (xarray, ArviZ), FILE.csv (as CmdStan)", export)
    one.add_argument("source", metavar="DIR", type=pathlib.Path, help="the --output folder of a run")
    one.add_argument("output", metavar="FILE", type=pathlib.Path, help="its suffix says the format")
    one = command("check", "check a file against the text of H5MD 1.1, rule by rule", check)
    one.add_argument("file", metavar="FILE", type=pathlib.Path)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        return options.perform(options)
    except ToolError as error:
        print(f"boltzcurve-tools {options.command}: {error}", file=sys.stderr)
        return error.code
    except BrokenPipeError:  # head, less: whoever read has seen enough
        sys.stderr.close()
        return DONE
    except OSError as error:
        print(f"boltzcurve-tools {options.command}: {error}", file=sys.stderr)
        return 3

"""Two runs beside each other: what was asked differently, what came out differently, and whether it is the same to the bit."""
from __future__ import annotations

import dataclasses
import pathlib

import numpy as np

from .draw.style import BLUE, PARAMETERS, RED, logarithmic, number, plt, save
from .metrics import METRICS, value_of
from .runs import Run


@dataclasses.dataclass(frozen=True)
class Difference:
    name: str
    first: str
    second: str
    remark: str = ""


def options_apart(a: Run, b: Run) -> list[Difference]:
    found = []
    for section in dict.fromkeys([*a.options, *b.options]):
        keys = dict.fromkeys(key for run in (a, b) for key, _ in run.options.get(section, []))
        for key in keys:
            values = [", ".join(value for known, value in run.options.get(section, []) if known == key) for run in (a, b)]
            if values[0] != values[1]:
                found.append(Difference(f"{section}.{key}", values[0] or "\u2013", values[1] or "\u2013"))
    return found


def provenance_apart(a: Run, b: Run) -> list[Difference]:
    names = ("program_version", "git_description", "seed", "build", "hosts")
    found = []
    for name in names:
        first, second = a.provenance.get(name, "\u2013"), b.provenance.get(name, "\u2013")
        if first != second:
            short = ("differs", "differs") if name == "build" else (str(first), str(second))
            found.append(Difference(name, *short))
    return found


def metrics_of(a: Run, b: Run) -> list[Difference]:
    """All metrics that either run knows; the remark is the difference, for log Z in joint standard errors too."""
    rows = []
    for metric in METRICS:
        first, second = value_of(a.metrics, metric.name), value_of(b.metrics, metric.name)
        if first is None and second is None:
            continue
        remark = ""
        if first is not None and second is not None and first != second:
            remark = f"{second - first:+.3g}"
            errors = [value_of(run.metrics, "log_z_stderr") for run in (a, b)]
            if metric.name == "log_z" and all(errors):
                joint = float(np.hypot(errors[0], errors[1]))  # type: ignore[arg-type]
                remark += f" ({abs(second - first) / joint:.1f} std. errors)"
            if metric.better in ("more", "less"):
                remark += " better" if (second > first) == (metric.better == "more") else " worse"
        rows.append(Difference(f"{metric.title}" + (f" [{metric.unit}]" if metric.unit not in ("1", "count") else ""), number(first, 6), number(second, 6), remark))
    return rows


def bits_of(a: Run, b: Run) -> list[Difference]:
    """Whether samples and the course of training are the same to the bit, or how far apart."""
    rows = []
    pairs = [(f"samples, {name}", getattr(a.samples, name), getattr(b.samples, name)) for name in ("position", "log_density", "log_weight")] \
        if a.samples is not None and b.samples is not None else []
    pairs += [(f"training, {name}", a.training[name], b.training[name]) for name in ("loss", "gradient_norm") if name in a.training and name in b.training]
    for name, first, second in pairs:
        if first.shape != second.shape:
            rows.append(Difference(name, str(first.shape), str(second.shape), "another shape"))
        elif np.array_equal(first.view(np.uint64), second.view(np.uint64)):
            rows.append(Difference(name, "", "", "equal to the bit"))
        else:
            apart = np.abs(first - second)[np.isfinite(first) & np.isfinite(second)]
            rows.append(Difference(name, "", "", f"at most {apart.max(initial=0):.3g} apart"))
    return rows


def text_of(heading: str, rows: list[Difference], names: tuple[str, str]) -> str:
    if not rows:
        return ""
    table = [(heading, *names, ""), *((row.name, row.first, row.second, row.remark) for row in rows)]
    widths = [max(len(row[k]) for row in table) for k in range(3)]
    lines = ["  ".join([row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2]), row[3]]).rstrip() for row in table]
    return "\n".join(lines) + "\n"


def names_of(a: Run, b: Run) -> tuple[str, str]:
    return (a.name, b.name) if a.name != b.name else (str(a.folder), str(b.folder))


def compare(a: Run, b: Run) -> str:
    """Tables for the terminal."""
    names = names_of(a, b)
    parts = [text_of("options", options_apart(a, b), names), text_of("provenance", provenance_apart(a, b), names),
             text_of("metrics", metrics_of(a, b), names), text_of("numbers", bits_of(a, b), ("", ""))]
    return "\n".join(part for part in parts if part) or "nothing to compare\n"


def draw_comparison(a: Run, b: Run, path: pathlib.Path) -> None:
    """Loss over steps and weights of both runs, over each other."""
    with plt.rc_context({**PARAMETERS, "figure.facecolor": "white"}):
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
        for run, color, name in zip((a, b), (BLUE, RED), names_of(a, b)):
            if "loss" in run.training and "step" in run.training:
                left.plot(run.training["step"], run.training["loss"], color=color, label=name, linewidth=1.2)
            if run.samples is not None and run.samples.usable.any():
                log_weight = run.samples.log_weight[run.samples.usable]
                log_weight = log_weight - np.log(np.exp(log_weight - log_weight.max()).mean()) - log_weight.max()
                low, high = np.quantile(log_weight, [0.001, 0.999])
                right.hist(log_weight, bins=80, range=(low, max(high, low + 1e-9)), density=True, histtype="step", color=color, label=name)
        left.set(xlabel="training step", ylabel="loss  [squared unit of the residual]")
        right.set(xlabel="log of the weight over its mean  [nats]", ylabel="density")
        for axes in (left, right):
            logarithmic(axes.yaxis)
            if axes.get_legend_handles_labels()[1]:
                axes.legend()
        save(figure, path, dpi=130)

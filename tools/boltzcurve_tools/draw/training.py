"""Training over its steps, and evaluations over wall time."""
from __future__ import annotations

import numpy as np

from ..errors import InputError, TooFewRows
from ..runs import Run
from .style import BLUE, GREY, PALE, RED, Caption, count, logarithmic, number, plt


def draw_column(axes: plt.Axes, run: Run, column: str, label: str, heading: str) -> Caption:
    """One column of training over the steps: every logged value pale, their running median dark."""
    if not {"step", column} <= run.training.keys():
        raise InputError(f"{run.folder / 'metrics.h5'}: /training lacks {column if 'step' in run.training else 'step'}")
    steps, values = run.training["step"], run.training[column]
    good = np.isfinite(values) & (values > 0)
    if good.sum() < 2:
        raise TooFewRows(f"{run.folder / 'metrics.h5'}: {good.sum()} logged rows with a {column.replace('_', ' ')} make no line; training.log-every = "
                         f"{run.option('training.log-every')}")
    axes.plot(steps[good], values[good], color=PALE, linewidth=0.7)
    window = max(1, int(good.sum()) // 40) | 1
    if window > 1:
        padded = np.pad(values[good], window // 2, mode="edge")
        axes.plot(steps[good], np.median(np.lib.stride_tricks.sliding_window_view(padded, window), axis=1), color=BLUE, linewidth=1.6)
    else:
        axes.plot(steps[good], values[good], color=BLUE, linewidth=1.2)
    axes.set(xlabel="training step", ylabel=label)
    logarithmic(axes.yaxis)
    left_out = len(values) - int(good.sum())
    return Caption(heading, f"{count(len(values))} logged rows" + (f"; line: running median over {window}" if window > 1 else "")
                   + (f"; {count(left_out)} not finite or not positive, left out" if left_out else ""))


def draw_loss(axes: plt.Axes, run: Run) -> Caption:
    return draw_column(axes, run, "loss", "loss  [squared unit of the residual]", "Loss")


def draw_gradient_norm(axes: plt.Axes, run: Run) -> Caption:
    return draw_column(axes, run, "gradient_norm", "norm of the loss's gradient in the parameters", "Gradient norm")


def draw_residual(axes: plt.Axes, run: Run) -> Caption:
    """Running mean of the residual's size in equal parts of the clock, the latent law on the left as particles travel. Its area is what a log
    weight is off by, if no residual made up for another."""
    if "size" not in run.time_bins:
        raise InputError(f"{run.folder / 'checkpoint.h5'}: no residuals by time (/time_bins), which the program writes since it draws times by them")
    size = run.time_bins["size"]
    seen = run.time_bins.get("seen", np.ones(len(size))) > 0
    if not seen.any():
        raise InputError(f"{run.folder / 'checkpoint.h5'}: no residual was looked at yet")
    edges = np.linspace(0, 1, len(size) + 1)
    shown = np.where(seen, size, np.nan)
    axes.stairs(shown, edges, fill=True, color=BLUE, alpha=0.35)
    axes.stairs(shown, edges, color=BLUE, linewidth=1.2)
    axes.set(xlim=(1, 0), ylim=(0, 1.08 * float(np.nanmax(shown)) or 1), xlabel="clock s of the curve  (1: latent law, 0: target)",
             ylabel="mean of |R|  [nats per unit of the clock]")
    clock = run.option("curve.clock")
    return Caption("Residual by time", f"{len(size)} parts of the {clock + ' ' if clock else ''}clock; the area is {number(float(np.nanmean(shown)), 3)} nats, "
                                       "about what a log weight is off by" + (f"; {int((~seen).sum())} parts without points" if not seen.all() else ""))


def draw_ess(axes: plt.Axes, run: Run) -> Caption:
    """Over training steps, as the program evaluates on the way."""
    rows = run.evaluations
    if not len(rows.get("ess", ())):
        raise InputError(f"{run.folder / 'metrics.h5'}: /evaluation has no ess")
    across = rows.get("step", np.arange(1, len(rows["ess"]) + 1))
    axes.plot(across, rows["ess"], color=BLUE, marker="o", markersize=3, label="ESS")
    if "ess_forward" in rows and np.isfinite(rows["ess_forward"]).any():
        axes.plot(across, rows["ess_forward"], color=RED, marker="o", markersize=3, label="forward ESS (exact samples)")
    axes.set(ylim=(0, 1.02), xlabel="training step" if "step" in rows else "evaluation", ylabel="effective sample size / N")
    axes.legend()
    return Caption("Effective sample size", f"{len(rows['ess'])} evaluations; the last: {number(run.metrics.get('ess'))}")


def draw_quality_over_time(axes: plt.Axes, run: Run) -> Caption:
    """1 - ESS and NLL over wall time of training; the floor of the NLL is the target's entropy."""
    rows = run.evaluations
    if not {"ess", "seconds_train"} <= rows.keys():
        raise InputError(f"{run.folder / 'metrics.h5'}: /evaluation lacks ess or seconds_train")
    seconds, missing = rows["seconds_train"], 1 - rows["ess"]
    axes.plot(seconds, np.maximum(missing, 1e-16), color=BLUE, marker="o", markersize=3)
    axes.set(xlabel="wall time of training  [s]", ylabel="1 - ESS / N  (0 is perfect)")
    logarithmic(axes.yaxis)
    axes.yaxis.label.set_color(BLUE)
    nll = rows.get("nll", np.empty(0))
    detail = f"{len(seconds)} evaluations"
    if np.isfinite(nll).any():
        right = axes.twinx()
        right.plot(seconds, nll, color=RED, marker="o", markersize=3, linewidth=1)
        right.set_ylabel("NLL  [nats]", color=RED)
        floor = run.metrics.get("nll_floor")
        if isinstance(floor, float):
            right.axhline(floor, color=RED, linewidth=0.9, linestyle=":")
            right.annotate(f"floor {floor:.4g}", (0.01, floor), xycoords=("axes fraction", "data"), xytext=(0, 3), textcoords="offset points", fontsize=8,
                           color=RED)
            detail += "; dotted: entropy of the target, the floor of the NLL"
    return Caption("Quality over training time", detail)

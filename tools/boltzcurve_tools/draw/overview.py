"""One picture of a run: its samples over the target, training, trajectories, weights and metrics."""
from __future__ import annotations

import pathlib
import textwrap
from typing import Any, Callable

from ..errors import TooFewRows
from ..metrics import FAILURES
from ..runs import Run, require_files
from .paths import draw_trajectories
from .samples import draw_line, draw_pair, draw_plane, pairs_of, usable_samples
from .style import GREY, INK, PARAMETERS, Caption, count, number, plt, save, set_caption
from .training import draw_ess, draw_gradient_norm, draw_loss
from .weights import draw_weights

PIXELS = (1920, 1200)
PIXELS_PER_INCH = 120


def draw_table(axes: plt.Axes, run: Run) -> Caption:
    get = run.metrics.get

    def beside(value: float | None, name: str, other: float | None) -> str:
        return f"{number(value)}   ({name} {number(other)})" if other is not None else number(value)

    log_z = f"{number(get('log_z'), 6)} \u00b1 {number(get('log_z_stderr'))}"
    beside_exact = log_z if get("log_z_exact") is None else f"{log_z}   (exact {get('log_z_exact'):.6g})"
    failed = [f"{get(name)} {name.replace('_', ' ')}" for name in FAILURES if get(name)]
    rows = (
        ("particles N", number(get("particles"))),
        ("ESS / N", number(get("ess"))),
        ("forward ESS / N", number(get("ess_forward"))),
        ("log Z [nats]", beside_exact),
        ("ELBO, EUBO [nats]", f"{number(get('elbo'), 6)},  {number(get('eubo'), 6)}"),
        ("NLL [nats]", beside(get("nll"), "floor", get("nll_floor"))),
        ("NLL, median [nats]", number(get("nll_median"))),
        ("energy distance", beside(get("energy_distance"), "floor", get("energy_distance_floor"))),
        ("sliced W2", number(get("sliced_w2"))),
        ("action", number(get("action"))),
        ("evaluations / particle", number(get("evaluations_per_particle"))),
        ("failed particles", ", ".join(failed) or "none"),
        ("training, sampling [s]", f"{number(get('seconds_train'))},  {number(get('seconds_sample'))}   (ranks: {number(get('ranks'))})"),
    )
    axes.axis("off")
    for i, (name, value) in enumerate(rows):
        y = 0.97 - i * 0.96 / len(rows)
        axes.text(0.0, y, name, transform=axes.transAxes, va="top", color=GREY)
        axes.text(0.42, y, value, transform=axes.transAxes, va="top", color=INK)
    return Caption("Metrics", "of the last evaluation; \u2013 where not known")


def draw_overview(run: Run, file: pathlib.Path) -> None:
    """Writes the picture. Throws InputError where the folder is not that of a whole run."""
    require_files(run, "samples.h5md", "metrics.h5", "evaluation.json")
    samples, position, _, _ = usable_samples(run)
    with plt.rc_context({**PARAMETERS, "figure.facecolor": "white"}):
        figure = plt.figure(figsize=(PIXELS[0] / PIXELS_PER_INCH, PIXELS[1] / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)
        grid = figure.add_gridspec(2, 3, left=0.05, right=0.985, top=0.86, bottom=0.065, wspace=0.24, hspace=0.34, width_ratios=(1.35, 1, 1.05))
        with_paths = run.trajectory is not None
        place, dimension = (grid[0, 0] if with_paths else grid[:, 0]), position.shape[1]

        def put(where: Any, draw: Callable[..., Caption], *arguments: Any, pad: float = 6) -> None:
            axes = figure.add_subplot(where)
            try:
                set_caption(axes, draw(axes, run, *arguments), pad)
            except TooFewRows as error:  # said in its place
                axes.axis("off")
                axes.text(0.5, 0.5, textwrap.fill(str(error), 40), transform=axes.transAxes, ha="center", va="center", color=GREY, fontsize=8)

        if dimension > 2:
            inner = place.subgridspec(2, 2, wspace=0.3, hspace=0.3)
            for i, pair in enumerate(pairs_of(dimension)):
                axes = figure.add_subplot(inner[i // 2, i % 2])
                caption = draw_pair(axes, run, pair)
                if i == 0:
                    set_caption(axes, caption, pad=8)
        else:
            put(place, draw_plane if dimension == 2 else draw_line)
        if with_paths:
            put(grid[1, 0], draw_trajectories)
        put(grid[0, 1], draw_loss)
        put(grid[1, 1], draw_gradient_norm)
        put(grid[0, 2], draw_weights)
        put(grid[1, 2], draw_ess if len(run.evaluations.get("ess", ())) > 1 else draw_table)
        get = run.metrics.get
        summary = f"N = {count(len(samples.id))}   ESS {number(get('ess'))}   log Z {number(get('log_z'), 6)}   {run.name}"
        if not samples.complete:
            summary += "   (run not finished)"
        figure.text(0.05, 0.965, f"{get('target', 'target')}  \u00b7  {get('curve', 'curve')}", fontsize=17, fontweight="bold", va="center")
        figure.text(0.985, 0.965, summary, fontsize=10, va="center", ha="right", color=GREY)
        save(figure, file)

"""The pictures of a run by name: one table from which the command line, its help and the report come."""
from __future__ import annotations

import dataclasses
from typing import Callable

from ..errors import InputError
from ..runs import Run
from .corner import make_corner
from .paths import draw_trajectories, draw_velocity
from .samples import draw_line, draw_pair, draw_plane, pairs_of, usable_samples
from .style import PARAMETERS, Caption, plt
from .training import draw_gradient_norm, draw_loss, draw_quality_over_time, draw_residual
from .weights import draw_mode_weights, draw_weights


@dataclasses.dataclass(frozen=True)
class Picture:
    name: str
    meaning: str
    make: Callable[[Run], tuple[plt.Figure, Caption] | None]  # None where the run cannot show it
    needs: str = "too many dimensions to tell basins apart"    # why it cannot


def single(draw: Callable[[plt.Axes, Run], Caption | None], size: tuple[float, float] = (5.4, 3.7)) -> Callable[[Run], tuple[plt.Figure, Caption] | None]:
    """A picture of one pair of axes."""

    def make(run: Run) -> tuple[plt.Figure, Caption] | None:
        with plt.rc_context(PARAMETERS):
            figure, axes = plt.subplots(figsize=size, layout="constrained")
            try:
                caption = draw(axes, run)
            except Exception:
                plt.close(figure)
                raise
            if caption is None:
                plt.close(figure)
                return None
            return figure, caption

    return make


def make_samples(run: Run) -> tuple[plt.Figure, Caption] | None:
    _, position, _, _ = usable_samples(run)
    dimension = position.shape[1]
    if dimension <= 2:
        return single(draw_plane if dimension == 2 else draw_line, (5.4, 4.6))(run)
    pairs = pairs_of(dimension)
    with plt.rc_context(PARAMETERS):
        figure, axes = plt.subplots(2, 2, figsize=(6.2, 5.6), layout="constrained")
        captions = [draw_pair(place, run, pair) for place, pair in zip(axes.flat, pairs)]
        for place in axes.flat[len(pairs):]:
            place.set_visible(False)
    return figure, captions[0]


PICTURES: tuple[Picture, ...] = (
    Picture("samples", "samples over contours of the target's energy", make_samples),
    Picture("corner", "marginals of the parameters by name, alone and in pairs", make_corner, "there is one dimension only, which samples show"),
    Picture("weights", "histogram of the importance weights", single(draw_weights)),
    Picture("modes", "weights of the modes, as sampled and reweighted", single(draw_mode_weights)),
    Picture("loss", "training loss over steps", single(draw_loss)),
    Picture("gradient", "norm of the loss's gradient over steps", single(draw_gradient_norm)),
    Picture("residual", "size of the residual by time along the curve", single(draw_residual)),
    Picture("quality", "ESS and NLL over wall time of training", single(draw_quality_over_time)),
    Picture("trajectories", "particles on their way (needs frames)", single(draw_trajectories, (5.4, 4.6))),
    Picture("velocity", "velocity and action along the curve (needs frames)", single(draw_velocity)),
)
BY_NAME = {picture.name: picture for picture in PICTURES}


def make_picture(picture: Picture, run: Run) -> tuple[plt.Figure, Caption]:
    """Throws InputError where the run cannot show it, saying why."""
    made = picture.make(run)
    if made is None:
        raise InputError(f"{run.folder}: cannot draw {picture.name}: {picture.needs}")
    return made

"""Importance weights, and what share of them each mode has."""
from __future__ import annotations

import dataclasses

import numpy as np

from ..runs import Run
from .samples import usable_samples
from .style import BLUE, INK, PALE, RED, Caption, axis_name, count, logarithmic, plt

SAMPLES_FOR_MODES = 3000  # particles that look for modes: distances between all pairs of them fit easily in memory
NEIGHBOURS = 12
LEAST_DEPTH = 1.0         # nats: a mode must lie that much below the pass to a deeper one
MOST_MODES = 40           # bars in a picture
MOST_DIMENSIONS = 10      # beyond, neighbors of so few samples tell nothing


def draw_weights(axes: plt.Axes, run: Run) -> Caption:
    samples, _, _, log_weight = usable_samples(run)
    particles = len(samples.id)
    normalized = log_weight - log_weight.max()
    normalized = normalized - np.log(np.exp(normalized).sum() / particles)
    lower, upper = np.quantile(normalized, [0.001, 0.999])
    reach = max(upper - lower, 1e-3)
    view = float(min(lower, 0) - 0.1 * reach), float(max(upper, 0) + 0.1 * reach)
    axes.hist(normalized, bins=80, range=view, color=BLUE, alpha=0.75)
    axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    axes.set(xlim=view, ylabel="particles per bin", xlabel=r"log of the weight over its mean, $\log(w N / \sum w)$  [nats]")
    logarithmic(axes.yaxis)
    failed = particles - len(normalized)
    beyond = int(((normalized < view[0]) | (normalized > view[1])).sum())
    return Caption("Importance weights", f"N = {count(particles)}: {count(failed)} with weight 0 (failed), {count(beyond)} out of view; "
                                         "all at 0 (dotted) is perfect")


@dataclasses.dataclass(frozen=True)
class Modes:
    """Basins of the energy that the samples show, heaviest first."""

    place: np.ndarray       # [M][D], the sample of least energy
    share: np.ndarray       # [M], of the particles
    reweighted: np.ndarray  # [M], of the importance weights
    error: np.ndarray       # [M], one standard error of the reweighted share


def roots_of(position: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """For each sample the index of the bottom of its basin: samples in the order of their energy join the deepest basin among their
    neighbors, and two basins that meet are one where the shallower is less than LEAST_DEPTH below the pass."""
    square = (position**2).sum(1)
    distance = square[:, None] + square[None, :] - 2 * position @ position.T
    neighbors = np.argpartition(distance, min(NEIGHBOURS, len(position) - 1), axis=1)[:, :NEIGHBOURS + 1]
    linked: list[set[int]] = [set() for _ in range(len(position))]
    for i, near in enumerate(neighbors):  # either way round: a sample far out has near ones that do not know it
        for j in near:
            linked[i].add(int(j))
            linked[int(j)].add(i)
    root = np.full(len(position), -1)

    def bottom(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = int(root[i])
        return i

    for i in np.argsort(energy, kind="stable"):
        lower = sorted({bottom(j) for j in linked[i] if root[j] >= 0}, key=lambda k: energy[k])
        root[i] = lower[0] if lower else i
        for other in lower[1:]:
            if energy[i] - energy[other] < LEAST_DEPTH:
                root[other] = lower[0]
    return np.array([bottom(i) for i in range(len(position))])


def find_modes(run: Run) -> Modes | None:
    """None in many dimensions, where samples have no near neighbors."""
    _, position, energy, log_weight = usable_samples(run)
    if position.shape[1] > MOST_DIMENSIONS:
        return None
    few = np.linspace(0, len(position) - 1, min(SAMPLES_FOR_MODES, len(position))).astype(int)
    x, f = position[few], energy[few]
    root = roots_of(x, f)
    bottoms = np.unique(root)
    # Basins of two or three samples are chance.
    sizes = np.array([(root == bottom).sum() for bottom in bottoms])
    kept = bottoms[sizes >= max(3, 0.001 * len(few))]
    owner = np.empty(len(position), int)
    inside = np.isin(root, kept)
    label = np.searchsorted(kept, root[inside])
    landmark, square = x[inside], (x[inside] ** 2).sum(1)
    for begin in range(0, len(position), 4096):  # every particle belongs to the basin of the nearest of the few
        part = position[begin:begin + 4096]
        owner[begin:begin + 4096] = label[np.argmin(square - 2 * part @ landmark.T, axis=1)]
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    share = np.bincount(owner, minlength=len(kept)) / len(owner)
    reweighted = np.bincount(owner, weights=weight, minlength=len(kept))
    inside_error = np.array([np.sqrt((weight**2 * ((owner == m) - reweighted[m]) ** 2).sum()) for m in range(len(kept))])
    order = np.argsort(-reweighted, kind="stable")
    return Modes(position[np.array([few[k] for k in kept])][order], share[order], reweighted[order], inside_error[order])


def draw_mode_weights(axes: plt.Axes, run: Run) -> Caption | None:
    """Bars: the particles in each basin; marks: what importance weights make of them. None where basins cannot be told."""
    modes = find_modes(run)
    if modes is None:
        return None
    shown = min(len(modes.share), MOST_MODES)
    across = np.arange(shown)
    axes.bar(across, modes.share[:shown], color=BLUE, alpha=0.55, label="share of the particles")
    axes.errorbar(across, modes.reweighted[:shown], yerr=2 * modes.error[:shown], fmt="o", markersize=3.5, color=RED, elinewidth=1,
                  label="reweighted, 2 std. errors")
    axes.set(ylabel="share", xlabel="mode, at " + ", ".join(axis_name(d, False) for d in range(min(2, modes.place.shape[1]))), xticks=across)
    axes.set_xticklabels([", ".join(f"{v:.1f}" for v in place[:2]) for place in modes.place[:shown]], fontsize=7,
                         rotation=90 if shown > 6 else 0)
    axes.axhline(0, color=PALE, linewidth=0.8)
    axes.set_ylim(0, 1.2 * float(max(modes.share.max(), (modes.reweighted + 2 * modes.error).max())))  # room for the legend
    axes.legend(loc="upper right", ncols=2)
    left_out = f"; the {shown} heaviest" if shown < len(modes.share) else ""
    return Caption("Weights of the modes", f"{len(modes.share)} basins of the energy among the samples{left_out}; where marks leave bars, "
                                           "particles are in the wrong mode")

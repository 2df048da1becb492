"""Reads a run as its author would: what went well, what did not, and what to try."""
from __future__ import annotations

import dataclasses
import enum
import re
from typing import Any

import numpy as np

from ..draw.style import count, number
from ..draw.weights import Modes
from ..metrics import FAILURES, beyond, failed, value_of
from ..runs import Run

LOST_TAILS = 0.5        # forward ESS below this share of the ESS: exact samples see what the particles do not
MANY_ERRORS = 4.0       # standard errors that chance exceeds once in 16 000
HEAVY_WEIGHT = 0.01     # of a single particle, as a share of all
STILL_FALLING = 0.7     # median loss of the last fifth over that of the fifth before


class Level(enum.Enum):
    GOOD = "good"
    NOTE = "note"
    WARN = "warn"
    BAD = "bad"


@dataclasses.dataclass(frozen=True)
class Finding:
    level: Level
    heading: str
    detail: str
    advice: str = ""


ADVICE_OF_FAILURES = {
    "escaped": "widen collocation.box, or train longer: the velocity at the edge is not learned",
    "nonfinite": "use precision = double, or train longer",
    "step_underflow": "the velocity has a cliff there: train longer, or loosen sampling.absolute-tolerance",
    "max_steps": "raise sampling.max-steps, or loosen sampling.relative-tolerance",
}


SOUND = "nothing is wrong that shows"  # what the program says of particles without a fault


def own_findings(diagnosis: list[str]) -> list[Finding]:
    """What the program itself diagnosed when it evaluated the run: of each text the beginning says what, and the rest why and what to try."""
    found = []
    for text in diagnosis:
        if not text.startswith(SOUND):
            what, end, rest = re.match(r"(.*?)($|: |; |, | (?=\())(.*)", text, re.DOTALL).groups()
            found.append(Finding(Level.BAD, what[:1].upper() + what[1:], rest if end else ""))
    return found


def nll_error(run: Run) -> float | None:
    """Standard error of the NLL [nats]: of the mean energy over the particles that count."""
    if run.samples is None:
        return None
    energy = run.samples.energy[run.samples.usable]
    return float(energy.std() / np.sqrt(len(energy))) if len(energy) > 1 else None


def of_state(run: Run) -> list[Finding]:
    found = []
    if run.state.startswith("stopped"):
        found.append(Finding(Level.WARN, "The run was stopped", run.state, "go on with --resume"))
    elif run.state == "running":
        found.append(Finding(Level.NOTE, "The run is going on, or was killed", "its files end where it last flushed them",
                             "make the report again later, or go on with --resume"))
    if run.missing:
        found.append(Finding(Level.NOTE, "Not everything is there", f"the folder lacks {', '.join(run.missing)}"))
    if run.samples is not None and not run.samples.complete:
        found.append(Finding(Level.WARN, "The samples are not complete", "the run that wrote them did not come to its end", "sample again"))
    return found


def of_failures(run: Run) -> list[Finding]:
    evaluation, found = run.metrics, []
    lost, particles = failed(evaluation), value_of(evaluation, "particles")
    if lost and particles:
        reasons = [name for name in FAILURES if value_of(evaluation, name)]
        listed = ", ".join(f"{count(value_of(evaluation, name) or 0)} {name.replace('_', ' ')}" for name in reasons)
        found.append(Finding(Level.BAD if lost > 0.01 * particles else Level.WARN, f"{count(lost)} of {count(particles)} particles failed",
                             f"{listed}; they have weight 0", "; ".join(ADVICE_OF_FAILURES[name] for name in reasons)))
    return found


def of_weights(run: Run) -> list[Finding]:
    found = []
    if run.samples is not None and run.samples.usable.any():
        heaviest = float(run.samples.weight.max())
        if heaviest > HEAVY_WEIGHT:
            found.append(Finding(Level.WARN, f"One particle carries {heaviest:.1%} of all weight",
                                 "averages with weights hang on it, and their standard errors mislead", "train longer, or draw more particles"))
    return found


def of_sizes(run: Run) -> list[Finding]:
    evaluation, found = run.metrics, []
    ess, forward = value_of(evaluation, "ess"), value_of(evaluation, "ess_forward")
    if ess is not None and ess < 0.8:
        found.append(Finding(Level.BAD if ess < 0.1 else Level.WARN, f"ESS is {ess:.3g} of the particles",
                             "the weights scatter: the curve is not learned well enough", "more training.steps, a larger network.width"))
    if ess is not None and forward is not None and forward < LOST_TAILS * ess:
        found.append(Finding(Level.BAD, f"Exact samples see less: forward ESS {forward:.3g} beside ESS {ess:.3g}",
                             "parts of the target get next to no density: a lost mode or a far tail",
                             "a wider latent.scale, or points of the whole box in collocation.shares"))
    return found


def of_estimates(run: Run) -> list[Finding]:
    evaluation, found = run.metrics, []
    off, error = beyond(evaluation, "log_z"), value_of(evaluation, "log_z_stderr")
    if off is not None and error and abs(off) > MANY_ERRORS * error:
        found.append(Finding(Level.BAD, f"log Z is off by {off:+.3g} nats, {abs(off) / error:.0f} standard errors",
                             "more than chance allows: mass is missing" if off < 0 else "more than chance allows",
                             "do not trust the weights; look at the modes below"))
    above, error = beyond(evaluation, "nll"), nll_error(run)
    if above is not None and error and abs(above) > MANY_ERRORS * error:
        found.append(Finding(Level.WARN, f"NLL is {abs(above):.3g} nats {'above' if above > 0 else 'below'} the entropy of the target",
                             "before weighting, the particles are too " + ("spread out" if above > 0 else "crowded where the density is high")))
    distance, floor = value_of(evaluation, "energy_distance"), value_of(evaluation, "energy_distance_floor")
    if distance is not None and floor and distance > 3 * floor:
        found.append(Finding(Level.WARN, f"Energy distance is {distance / floor:.1f} times its floor",
                             "before weighting, the particles are further from exact samples than exact samples from each other"))
    return found


def of_training(run: Run) -> list[Finding]:
    found = []
    skipped = run.training.get("skipped_steps", np.empty(0))
    if len(skipped) and skipped[-1] > 0:
        found.append(Finding(Level.NOTE, f"{count(skipped[-1])} training steps were skipped", "their gradient was not finite",
                             "a smaller optimizer.learning-rate if they are many"))
    left_out = run.training.get("left_out_points", np.empty(0))
    if len(left_out) and left_out[-1] > 0:
        found.append(Finding(Level.NOTE, f"{count(left_out[-1])} points were left out of training", "the target's energy was not finite there",
                             "a collocation.box in which it is, if the target allows one"))
    loss = run.training.get("loss", np.empty(0))
    loss = loss[np.isfinite(loss)]
    fifth = len(loss) // 5
    if fifth >= 4:
        before, last = float(np.median(loss[-2 * fifth:-fifth])), float(np.median(loss[-fifth:]))
        if last < STILL_FALLING * before:
            found.append(Finding(Level.NOTE, f"The loss was still falling, from {number(before, 3)} to {number(last, 3)} over the last two fifths",
                                 "longer training would have gone on improving", "more training.steps; --resume takes them"))
    return found


def of_modes(modes: Modes | None) -> list[Finding]:
    if modes is None:
        return []
    off = np.abs(modes.share - modes.reweighted)
    wrong = (off > MANY_ERRORS * modes.error) & (off > 0.005)
    if not wrong.any():
        return []
    worst = int(np.argmax(np.where(wrong, off, 0)))
    place = ", ".join(f"{value:.3g}" for value in modes.place[worst][:4])
    return [Finding(Level.NOTE, f"{wrong.sum()} of {len(modes.share)} modes have another share of the particles than of the weights",
                    f"the worst at ({place}): {modes.share[worst]:.3f} of the particles, {modes.reweighted[worst]:.3f} by weight",
                    "use the weights, or train longer")]


def diagnose(run: Run, modes: Modes | None) -> list[Finding]:
    """What to say of a run, worst first; one good word where there is nothing to complain of."""
    diagnosis = run.metrics.get("diagnosis_text") or run.metrics.get("diagnosis")  # which files of before had their texts in
    # Files of before the program said what is wrong leave that to be read from the numbers.
    of_sampling = own_findings(diagnosis) if diagnosis else of_failures(run) + of_sizes(run)
    found = of_sampling + of_state(run) + of_weights(run) + of_estimates(run) + of_training(run) + of_modes(modes)
    order = [Level.BAD, Level.WARN, Level.GOOD, Level.NOTE]
    if run.metrics and not any(finding.level in (Level.BAD, Level.WARN) for finding in found):
        found.append(Finding(Level.GOOD, "Nothing points to a fault", "no failed particle, weights even, every estimate within what chance allows"))
    return sorted(found, key=lambda finding: order.index(finding.level))

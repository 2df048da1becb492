"""What the numbers of an evaluation mean, and what they are measured against.

The names are those of evaluation.json and of /evaluation in metrics.h5; a test compares them with what the program writes.
"""
from __future__ import annotations

import dataclasses
import math
from typing import Any, Mapping


@dataclasses.dataclass(frozen=True)
class Metric:
    name: str
    title: str
    unit: str
    meaning: str
    better: str = ""    # "more", "less", "zero": what a good value tends to; empty where it says nothing of quality
    bound: str = ""     # name of the metric that a good value comes down or up to
    ceiling: float | None = None


METRICS: tuple[Metric, ...] = (
    Metric("ess", "ESS / N", "1", "effective sample size: how many exact samples the weighted particles are worth, as a share", "more", ceiling=1.0),
    Metric("lineage_ess", "lineage ESS / N", "1", "the same of weights summed over the descendants of each particle, where legs have resampled them", "more", ceiling=1.0),
    Metric("ess_forward", "forward ESS / N", "1", "the same seen from exact samples: falls where a mode has been lost", "more", ceiling=1.0),
    Metric("ess_forward_pilot", "forward ESS / N, pilot", "1", "the same from points of the pilot's population", "more", ceiling=1.0),
    Metric("log_z", "log Z", "nats", "log of the normalizing constant, by importance weights", bound="log_z_exact"),
    Metric("log_z_stderr", "its standard error", "nats", "how far log Z may be off by chance"),
    Metric("log_z_stderr_islands", "the same, islands", "nats", "from the spread of groups of particles that have nothing to do with each other"),
    Metric("log_z_pilot", "log Z, pilot", "nats", "by the pilot's population, before any training", bound="log_z_exact"),
    Metric("log_z_pilot_stderr", "its standard error", "nats", "how far the pilot's log Z may be off by chance"),
    Metric("log_z_exact", "log Z, exact", "nats", "known in closed form for this target"),
    Metric("log_z_thermodynamic", "log Z, thermodynamic", "nats", "by the integral of the curve's normalizer, without particles", bound="log_z_exact"),
    Metric("elbo", "ELBO", "nats", "lower bound of log Z; the gap is the divergence of the particles from the target", bound="log_z_exact"),
    Metric("eubo", "EUBO", "nats", "upper bound of log Z, from exact samples", bound="log_z_exact"),
    Metric("nll", "NLL", "nats", "mean of -log rho_D over the particles", bound="nll_floor"),
    Metric("nll_median", "NLL, median", "nats", "its median"),
    Metric("nll_floor", "entropy of the target", "nats", "what the NLL of exact samples comes to"),
    Metric("energy_distance", "energy distance", "length", "from as many exact samples", "less", "energy_distance_floor"),
    Metric("energy_distance_floor", "its floor", "length", "the energy distance between two sets of exact samples"),
    Metric("sliced_w2", "sliced W2", "length", "sliced 2-Wasserstein distance from exact samples", "less"),
    Metric("disagreement", "z-score, pilot", "1", "largest difference between particles and the pilot's population, in standard errors", "less"),
    Metric("disagreement_known", "z-score, known", "1", "the same with what is known of the target", "less"),
    Metric("action", "action", "length^2/time", "mean over the particles of the integral of |v|^2 dt"),
    Metric("evaluations_per_particle", "evaluations / particle", "1", "how often the velocity was asked for, on average"),
    Metric("escaped", "escaped", "count", "particles that left the domain", "less"),
    Metric("nonfinite", "not finite", "count", "particles that met NaN or infinity", "less"),
    Metric("step_underflow", "step underflow", "count", "particles whose steps became too short", "less"),
    Metric("max_steps", "steps used up", "count", "particles that used up their steps", "less"),
    Metric("target_values", "values", "count", "evaluations of the target's energy alone"),
    Metric("target_gradients", "gradients", "count", "evaluations of the target's energy with its gradient"),
    Metric("particles", "particles N", "count", "generated particles"),
    Metric("seconds_train", "training", "s", "wall time of training"),
    Metric("seconds_sample", "sampling", "s", "wall time of sampling"),
    Metric("ranks", "ranks", "count", "MPI ranks"),
)
BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}
FAILURES: tuple[str, ...] = ("escaped", "nonfinite", "step_underflow", "max_steps")


def value_of(evaluation: Mapping[str, Any], name: str) -> float | None:
    """A number of an evaluation; None where it is absent, null or not finite."""
    value = evaluation.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def beyond(evaluation: Mapping[str, Any], name: str) -> float | None:
    """How far a metric is from what bounds it: the difference from another metric, or from its ceiling."""
    metric, value = BY_NAME[name], value_of(evaluation, name)
    bound = metric.ceiling if metric.ceiling is not None else value_of(evaluation, metric.bound)
    return None if value is None or bound is None else value - bound


def failed(evaluation: Mapping[str, Any]) -> int:
    """Particles that did not come to the end, whatever the reason."""
    return int(sum(value_of(evaluation, name) or 0 for name in FAILURES))

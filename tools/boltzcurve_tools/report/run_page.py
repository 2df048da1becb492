"""The report of one run."""
from __future__ import annotations

import math
import shlex

from .. import __version__
from ..draw.pictures import PICTURES
from ..draw.style import count, number
from ..draw.weights import find_modes
from ..errors import InputError
from ..metrics import METRICS, beyond, value_of
from ..progress import tracked
from ..runs import SUMMARY_COLUMNS, Run
from .diagnosis import Finding, Level, diagnose, nll_error
from .html import escape, figure_of, page, section, table_of

WITHIN_CHANCE, FAR = 2.0, 4.0  # standard errors
SUMMARY_ROWS = 100  # of a page; more are a file's
DASH, SQUARED = "\u2013", "\u00b2"


def level_of(value: float, good: float, warn: float) -> str:
    return "good" if value <= good else "warn" if value <= warn else "bad"


def tile(name: str, value: str, note: str, gauge: str = "") -> str:
    return f"<div class=tile><div class=name>{name}</div><div class=value>{value}</div>{gauge}<div class=note>{note}</div></div>"


def share_gauge(share: float, level: str) -> str:
    return f'<div class="gauge {level}"><i style="width:{100 * min(1.0, max(0.0, share)):.1f}%"></i></div>'


def error_gauge(errors: float) -> str:
    """Where an estimate lies between -5 and 5 standard errors; the band is what chance does 19 times in 20."""
    at = 50 + 10 * max(-5.0, min(5.0, errors))
    level = level_of(abs(errors), WITHIN_CHANCE, FAR)
    return f'<div class="gauge {level}"><span class=band style="left:30%;width:40%"></span><u style="left:calc(50% - 1px)"></u><b style="left:{at:.1f}%"></b></div>'


def tiles_of(run: Run) -> str:
    evaluation, made = run.metrics, []
    for name, meaning in (("ess", "of what as many exact samples are worth"), ("ess_forward", "the same, seen from exact samples")):
        value = value_of(evaluation, name)
        if value is not None:
            made.append(tile("ESS" if name == "ess" else "forward ESS", f"{100 * value:.4g}<small> %</small>", meaning,
                             share_gauge(value, level_of(1 - value, 0.2, 0.9))))
    log_z, error, off = value_of(evaluation, "log_z"), value_of(evaluation, "log_z_stderr"), beyond(evaluation, "log_z")
    if log_z is not None:
        note = f"\u00b1 {number(error, 2)} nats" + (f"; exact {number(value_of(evaluation, 'log_z_exact'), 6)}" if off is not None else "; exact value not known")
        thermodynamic = value_of(evaluation, "log_z_thermodynamic")
        if thermodynamic is not None:
            note += f"; by thermodynamic integration {number(thermodynamic, 6)}"
        made.append(tile("log Z", to_the_digit(log_z, error), note, error_gauge(off / error) if off is not None and error else ""))
    nll, above, spread = value_of(evaluation, "nll"), beyond(evaluation, "nll"), nll_error(run)
    if nll is not None:
        note = f"floor {number(value_of(evaluation, 'nll_floor'), 5)}, {above:+.2g} nats" if above is not None else "nats; floor not known"
        made.append(tile("NLL", number(nll, 5), note, error_gauge(above / spread) if above is not None and spread else ""))
    distance, floor = value_of(evaluation, "energy_distance"), value_of(evaluation, "energy_distance_floor")
    if distance is not None and floor:
        ratio = distance / floor
        made.append(tile("energy distance", f"{ratio:.3g}<small>\u00a0\u00d7\u00a0floor</small>", "floor: between two sets of exact samples",
                         f'<div class="gauge {level_of(ratio, 1.5, 3)}"><i style="width:{min(100.0, 25 * ratio):.1f}%"></i><u style="left:25%"></u></div>'))
    seconds = value_of(evaluation, "seconds_train")
    if seconds is not None:
        sampling, ranks = value_of(evaluation, "seconds_sample"), value_of(evaluation, "ranks")
        made.append(tile("training", duration(seconds), f"sampling {duration(sampling or 0)}; {number(ranks)} rank{'' if ranks == 1 else 's'}"))
    return f"<div class=tiles>{''.join(made)}</div>" if made else ""


def to_the_digit(value: float, error: float | None) -> str:
    """As many digits as the standard error leaves, and one more."""
    digits = min(12, max(0, 1 - math.floor(math.log10(error)))) if error else 4
    return f"{value:.{digits}f}"


def duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g}<small> s</small>"
    return f"{seconds / 60:.3g}<small> min</small>" if seconds < 7200 else f"{seconds / 3600:.3g}<small> h</small>"


def lead_of(run: Run) -> str:
    """The result in a sentence or two."""
    evaluation = run.metrics
    ess, particles = value_of(evaluation, "ess"), value_of(evaluation, "particles")
    if ess is None or particles is None:
        return ("<p class=lead>No evaluation yet: " + (f"{len(run.training.get('loss', ()))} logged rows of training." if run.training else
                                                       "nothing was logged.") + "</p>")
    words = f"With their weights, the {count(particles)} particles are worth {count(round(ess * particles))} exact samples of the target."
    off, error = beyond(evaluation, "log_z"), value_of(evaluation, "log_z_stderr")
    if off is not None and error:
        words += f" log Z is {abs(off) / error:.1f} standard errors from the exact value."
    return f"<p class=lead>{words}</p>"


def finding_of(finding: Finding) -> str:
    detail = f" {escape(finding.detail[:1].upper() + finding.detail[1:].rstrip('.'))}." if finding.detail else ""
    advice = f"<p class=try>Try: {escape(finding.advice)}.</p>" if finding.advice else ""
    return f'<div class="finding {finding.level.value}"><p><b>{escape(finding.heading)}.</b>{detail}</p>{advice}</div>'


def metrics_table(run: Run) -> str:
    rows = []
    for metric in METRICS:
        value = value_of(run.metrics, metric.name)
        if value is None and metric.name not in run.metrics:
            continue
        bound = value_of(run.metrics, metric.bound) if metric.bound else metric.ceiling
        shown = "\u2013" if value is None else f"{value:.6g}"
        rows.append((escape(metric.title), shown + (f" <small>{escape(metric.unit.replace('^2', SQUARED))}</small>" if metric.unit not in ("1", "count") else ""),
                     f"{bound:.6g}" if bound is not None else "", escape(metric.meaning.replace("^2", SQUARED))))
    return table_of(("metric", "value", "floor, ceiling or exact", "what it is"), rows, "metrics") if rows else ""


def summary_of(run: Run) -> str:
    if not run.summary:
        return ""
    heads = ("parameter", "mean", "standard deviation", "Monte Carlo error", "5 %", "50 %", "95 %", "effective size")

    def cell(name: str, value: object) -> str:
        if not isinstance(value, float):
            return escape(value)
        if math.isnan(value):
            return DASH
        return f"{value:.0f}" if name == "ess" else f"{value:.2g}" if name == "mcse" else f"{value:.5g}"

    rows = [tuple(map(cell, SUMMARY_COLUMNS, row)) for row in zip(*(run.summary[name] for name in SUMMARY_COLUMNS))]
    more = f"<p class=aside>The first {SUMMARY_ROWS} of {len(rows)}; all are in summary.csv.</p>" if len(rows) > SUMMARY_ROWS else ""
    return table_of(heads, rows[:SUMMARY_ROWS], "metrics") + more


def pictures_of(run: Run) -> str:
    made, left_out = [], []
    for picture in tracked(PICTURES, "pictures"):
        try:
            drawn = picture.make(run)
        except InputError as error:
            left_out.append(f"{picture.name} ({str(error).removeprefix(str(run.folder)).lstrip('/: ')})")
            continue
        if drawn is not None:
            made.append(figure_of(*drawn, picture.name))
    # A folder without samples lacks pictures for one reason, which is said above.
    words = f"<p class=aside>Left out: {escape('; '.join(left_out))}.</p>" if left_out and run.samples is not None else ""
    return f"<div class=pictures>{''.join(made)}</div>{words}" if made else ""


def options_of(run: Run) -> str:
    blocks = []
    for name, entries in run.options.items():
        inside = "".join(f"<dt>{escape(key)}</dt><dd>{escape(value) or DASH}</dd>" for key, value in entries)
        blocks.append(f"<div><h3>[{escape(name)}]</h3><dl>{inside}</dl></div>")
    return f"<div class=options>{''.join(blocks)}</div>" if blocks else ""


def provenance_of(run: Run) -> str:
    known = run.provenance
    if not known:
        return ""
    hosts = known.get("hosts", [])
    entries = (("program", f"{known.get('program_version', '?')}, commit {known.get('git_description', '?')}"), ("started", known.get("start_utc", "")),
               ("seed", known.get("seed", "")), ("hosts", ", ".join(hosts) if isinstance(hosts, list) else hosts), ("job", known.get("job_id", "")),
               ("state", run.state), ("folder", run.folder.resolve()))
    inside = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in entries if str(value))
    build = f"<details><summary>How the program was built</summary><pre>{escape(known['build'])}</pre></details>" if known.get("build") else ""
    command = f"<pre>{escape(known['command_line'])}</pre>" if known.get("command_line") else ""
    again = f"<p>Again, from the resolved options alone:</p><pre>boltzcurve run --config {escape(shlex.quote(str(run.folder / 'config.ini')))} --output again</pre>"
    return f"{command}<div class=card><dl>{inside}</dl></div>{build}" + (again if (run.folder / "config.ini").is_file() else "")


def badge_of(run: Run, findings: list[Finding]) -> str:
    levels = {finding.level for finding in findings}
    word, level = ("faults found", "bad") if Level.BAD in levels else ("look twice", "warn") if Level.WARN in levels else \
        ("sound", "good") if Level.GOOD in levels else ("not evaluated", "")
    return f'<span class="badge {level}">{word}</span>'


def run_report(run: Run) -> str:
    """The page. What the folder lacks is left out and said."""
    try:
        modes = find_modes(run)
    except InputError:
        modes = None
    findings = diagnose(run, modes)
    target, curve = run.metrics.get("target") or run.option("target.name") or "target", run.metrics.get("curve") or run.option("curve.name") or ""
    known = run.provenance
    dimension = f"D = {run.samples.position.shape[1]}" if run.samples is not None else ""
    under = [badge_of(run, findings), escape(run.name), dimension, escape(str(known.get("start_utc", "")).replace("T", " ").replace("Z", " UTC")),
             f"commit {escape(known['git_description'])}" if known.get("git_description") else ""]
    header = (f'<header><h1>{escape(target)} <span class=of>along {escape(curve)}</span></h1><p class=under>' + "".join(f"<span>{part}</span>" if part[:5] != "<span" else part
              for part in under if part) + "</p></header>")
    sections = [section("result", "Result", lead_of(run), tiles_of(run)),
                section("diagnosis", "Diagnosis", *(finding_of(finding) for finding in findings)),
                section("pictures", "Pictures", pictures_of(run)),
                section("parameters", "Parameters", summary_of(run)),
                section("metrics", "Metrics", metrics_table(run)),
                section("options", "Options", options_of(run)),
                section("provenance", "Provenance", provenance_of(run))]
    return page(f"{run.name}: {target}", header, [text for text in sections if text], f"boltzcurve-tools {__version__}")



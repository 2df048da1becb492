"""Reports: complete and self-contained, faults named, and shown by a real browser without an error and not blank."""
import html.parser
import json
import pathlib
import re
import shutil
import subprocess

import h5py
import matplotlib.image
import numpy as np
import pytest
from boltzcurve_tools import read_run
from boltzcurve_tools.report.diagnosis import SOUND, Level, diagnose, own_findings
from support import RUNS, SOURCE, refuses, spoiled, succeeds  # noqa: F401

CHROMIUM = next((shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell") if shutil.which(name)), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
VOID = {"meta", "link", "br", "img", "input", "hr", "wbr"}


class Document(html.parser.HTMLParser):
    """Ids, references and words of a page; an element that is not closed in order is an error."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.references, self.words, self.open = [], [], [], []
        self.feed(text)
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "action"):
                self.references.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)


def report_of(source, path, *options):
    succeeds("report", source, "--output", path, *options)
    return path.read_text()


@pytest.mark.parametrize("name", ["plane", "four", "sweep"])
def test_a_report_needs_nothing_but_itself(name, tmp_path):
    text = report_of(RUNS / name, tmp_path / "report.html")
    document = Document(text)
    outside = [reference for reference in document.references if not reference.startswith(("#", "data:"))]
    assert outside == [], "refers to something outside"
    assert not re.search(r"@import|url\((?!#|data:)", text)
    assert len(document.ids) == len(set(document.ids)), "an id twice"
    # All that pictures refer to is there, with the id that the page gave it.
    assert {reference[1:] for reference in document.references if reference.startswith("#")} <= set(document.ids)
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(document.ids)


def test_a_report_has_every_option_every_metric_and_the_provenance(tmp_path):
    run = read_run(RUNS / "plane")
    words = "\n".join(Document(report_of(RUNS / "plane", tmp_path / "report.html")).words)
    for entries in run.options.values():
        for key, value in entries:
            assert key in words and value in words, key
    for name, value in run.metrics.items():
        if isinstance(value, float):
            assert f"{value:.6g}" in words, name
    for name in ("program_version", "git_description", "build", "command_line"):
        assert str(run.provenance[name]).strip().splitlines()[0] in words, name


def level_and_heading(run):
    return [(finding.level, finding.heading) for finding in diagnose(run, None)]


def test_faults_are_named_with_what_to_try(spoiled, tmp_path):  # noqa: F811
    folder = spoiled("plane")
    evaluation = json.loads((folder / "evaluation.json").read_text())
    evaluation.update(ess=0.05, ess_forward=0.01, log_z=-1.0, log_z_exact=0.0, log_z_stderr=0.1, log_z_thermodynamic=0.125, escaped=30, particles=400,
                      energy_distance=0.5, energy_distance_floor=0.1)
    del evaluation["diagnosis"], evaluation["diagnosis_text"]  # as files were before the program said what is wrong
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    found = level_and_heading(read_run(folder))
    assert (Level.BAD, "30 of 400 particles failed") in found
    assert (Level.BAD, "ESS is 0.05 of the particles") in found
    assert (Level.BAD, "Exact samples see less: forward ESS 0.01 beside ESS 0.05") in found
    assert (Level.BAD, "log Z is off by -1 nats, 10 standard errors") in found
    assert [level for level, _ in found].index(Level.WARN) > [level for level, _ in found].index(Level.BAD), "the worst first"
    text = report_of(folder, tmp_path / "report.html")
    assert "faults found" in text and "30 escaped" in text and "widen collocation.box" in text
    assert "exact 0; by thermodynamic integration 0.125" in text


def test_a_sound_run_is_called_sound_and_an_unfinished_one_is_not(spoiled):  # noqa: F811
    folder = spoiled("plane")
    evaluation = json.loads((folder / "evaluation.json").read_text())
    evaluation.update(ess=0.99, ess_forward=0.99, log_z=0.01, log_z_exact=0.0, log_z_stderr=0.01, energy_distance=0.1, energy_distance_floor=0.1,
                      nll=evaluation["nll_floor"], escaped=0, nonfinite=0, step_underflow=0, max_steps=0, diagnosis=[], diagnosis_text=[SOUND + "; checked: all"])
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    with h5py.File(folder / "samples.h5md", "a") as file:
        file["samples/log_weight"][...] = 0.01 * np.random.default_rng(1).standard_normal(400)
    assert [level for level, _ in level_and_heading(read_run(folder))][0] == Level.GOOD
    with h5py.File(folder / "samples.h5md", "a") as file:
        file.attrs["state"], file.attrs["complete"] = "stopped: SIGUSR1 at step 20", 0
    found = level_and_heading(read_run(folder))
    assert (Level.WARN, "The run was stopped") in found and (Level.WARN, "The samples are not complete") in found
    assert not any(level == Level.GOOD for level, _ in found)


def test_parameters_are_told_by_name_and_an_unknown_error_is_a_dash(spoiled, tmp_path):  # noqa: F811
    folder = spoiled("plane")
    lines = (folder / "summary.csv").read_text().splitlines()
    (folder / "summary.csv").write_text("\n".join([lines[0], '"mu <1>",0.25,2,,-3,0.125,3,', lines[2]]) + "\n")
    text = report_of(folder, tmp_path / "report.html")
    row = re.search(r"<tr><td>mu &lt;1&gt;</td>.*?</tr>", text)
    assert row and re.findall(r"<td>(.*?)</td>", row[0])[1:] == ["0.25", "2", "\u2013", "-3", "0.125", "3", "\u2013"]
    assert "<td>x2</td>" in text and 'id="parameters"' in text


def test_what_training_left_out_is_told(spoiled):  # noqa: F811
    folder = spoiled("plane")
    with h5py.File(folder / "metrics.h5", "a") as file:
        rows = len(file["training/step"])
        for name in ("skipped_steps", "left_out_points"):
            if name in file["training"]:
                del file["training"][name]
            file["training"][name] = np.arange(rows) * 7
            file["training"][name].attrs["unit"] = "1"
    found = level_and_heading(read_run(folder))
    assert (Level.NOTE, f"{7 * (rows - 1)} training steps were skipped") in found
    assert (Level.NOTE, f"{7 * (rows - 1)} points were left out of training") in found


def test_the_programs_own_diagnosis_is_told_and_no_other(spoiled, tmp_path):  # noqa: F811
    folder = spoiled("plane")
    evaluation = json.loads((folder / "evaluation.json").read_text())
    evaluation.update(ess=0.05, ess_forward=0.01, escaped=30, particles=400, diagnosis=["failed_particles", "lost_modes"], diagnosis_text=[
        "30 of 400 particles failed (escaped 30), between t = 0 and 1; the first was at x = (3)", "modes are lost: the one at (3.46, -2) has <no> particles. Try this"])
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    found = level_and_heading(read_run(folder))
    assert (Level.BAD, "30 of 400 particles failed") in found and (Level.BAD, "Modes are lost") in found
    assert not any("ESS" in heading or "Exact samples" in heading for _, heading in found), "a second opinion"
    text = report_of(folder, tmp_path / "report.html")
    assert "<b>Modes are lost.</b> The one at (3.46, -2) has &lt;no&gt; particles. Try this.</p>" in text
    assert "failed.</b> (escaped 30), between t = 0 and 1; the first was at x = (3).</p>" in text


def test_the_report_knows_the_words_of_the_program():
    assert f'"{SOUND}; ' in (SOURCE / "src/app/commands/diagnosis.cpp").read_text() and own_findings([SOUND]) == []
    finding, = own_findings(["ESS is 0.05, and no known sign tells why: longer training may help"])
    assert (finding.heading, finding.detail) == ("ESS is 0.05", "and no known sign tells why: longer training may help")


def test_reports_of_what_is_there_and_refusals(spoiled, tmp_path):  # noqa: F811
    folder = spoiled("plane")
    for name in ("samples.h5md", "evaluation.json", "config.ini"):
        (folder / name).unlink()
    text = report_of(folder, tmp_path / "report.html")
    assert "No evaluation yet" in text and "lacks samples.h5md, evaluation.json" in text and 'id="picture-loss"' in text
    refuses(3, "report", tmp_path / "none", says=["no output folder of a run"])
    refuses(3, "report", RUNS / "plane", "--output", tmp_path / "no/report.html", says=["cannot write", "no/report.html"])
    refuses(2, "report", RUNS / "sweep", "--output", tmp_path / "s.html", "--metric", "log_q", says=["no metric log_q"])
    assert not (tmp_path / "s.html").exists()


def test_failed_rows_of_a_sweep_are_listed(tmp_path):
    (tmp_path / "t.csv").write_text("id,state,network.width,ess\n0,done,8,0.9\n1,diverged at step 7,16,\n2,done,32,0.95\n")
    text = report_of(tmp_path / "t.csv", tmp_path / "report.html")
    assert "diverged at step 7" in text and text.count('<tr class="bad">') == 1 and text.count('<tr class="best">') == 1


def test_what_became_of_rows_without_a_result_is_told_in_the_programs_words(tmp_path):
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep/sweep.csv").write_text(
        "row,state,detail,folder,network.width,ess\n0,done,,r0,8,0.9\n1,failed,\"loss was not finite, at <step> 7\",r1,16,\n"
        "2,ended-early,\"ESS 0.2 at step 100, the median of 4 others is 0.5\",r2,32,\n3,done,,r3,64,0.95\n")
    text = report_of(tmp_path / "sweep", tmp_path / "report.html")
    assert "<h1>sweep <span class=of>sweep of 4 runs" in text, "named after its folder"
    assert text.count("loss was not finite, at &lt;step&gt; 7") == 2 and text.count("the median of 4 others is 0.5") == 2
    assert text.count('class="finding bad"') == 1 and text.count('class="finding note"') == 1, "ending early is no fault"
    assert text.count('<tr class="bad">') == text.count('<tr class="note">') == text.count('<tr class="best">') == 1
    assert "1 failed, 1 ended early" in text and "run 3: network.width = 64" in text


def test_pictures_that_cannot_be_drawn_are_named_with_the_reason(tmp_path):
    text = report_of(RUNS / "without_frames", tmp_path / "report.html")
    assert "Left out: trajectories (no frames to draw; sample with --sampling.frames=21)" in text and 'id="picture-velocity"' not in text


def browse(page, picture, size, scratch, *options):
    """Shows a page, takes its picture, returns what its scripts complained of."""
    result = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                             "--enable-logging=stderr", "--log-level=0", f"--window-size={size[0]},{size[1]}", f"--user-data-dir={scratch}",
                             "--virtual-time-budget=3000", *options, f"--screenshot={picture}", page.as_uri()],
                            capture_output=True, text=True, timeout=120)
    assert pathlib.Path(picture).is_file(), result.stderr[-2000:]
    return [line for line in result.stderr.splitlines() if "CONSOLE" in line or "Uncaught" in line]


@needs_browser
def test_a_browser_shows_it_in_light_and_dark_and_on_a_phone(tmp_path):
    page = tmp_path / "report.html"
    report_of(RUNS / "plane", page)
    grounds = {}
    for name, size, options in (("light", (1200, 2000), ()), ("dark", (1200, 2000), ("--blink-settings=preferredColorScheme=0",)), ("phone", (500, 2000), ())):
        complaints = browse(page, tmp_path / f"{name}.png", size, tmp_path / "browser", *options)
        assert complaints == [], complaints
        pixels = matplotlib.image.imread(tmp_path / f"{name}.png")[..., :3]
        grounds[name] = pixels[5, 5].mean()
        for k, band in enumerate(np.array_split(pixels, 5)):
            drawn = np.abs(band - pixels[5, 5]).max(2) > 0.2
            assert drawn.mean() > 0.005, f"{name}: part {k + 1} of 5 is blank"
        # Nothing lies beyond the right edge, and the margin there is as empty as the one on the left.
        assert (np.abs(pixels[:, -4:] - pixels[5, 5]).max(2) < 0.2).mean() > 0.97, name
    assert grounds["light"] > 0.9 and grounds["dark"] < 0.2, grounds


@needs_browser
def test_a_script_error_would_be_noticed(tmp_path):
    page = tmp_path / "broken.html"
    page.write_text("<!doctype html><p>text</p><script>missing.call()</script>")
    assert browse(page, tmp_path / "broken.png", (400, 300), tmp_path / "browser")


@needs_browser
def test_a_click_sorts_the_table_of_a_sweep(tmp_path):
    (tmp_path / "t.csv").write_text("id,network.width,ess\nb,8,0.9\na,16,0.8\nc,32,0.95\n")
    text = report_of(tmp_path / "t.csv", tmp_path / "report.html")
    page = tmp_path / "clicked.html"
    page.write_text(text.replace("</body>", "<script>document.querySelectorAll('table.sortable th')[2].click();</script></body>"))
    result = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}", "--dump-dom",
                             page.as_uri()], capture_output=True, text=True, timeout=120)
    rows = re.search(r"sortable.*?<tbody>(.*?)</tbody>", result.stdout, re.DOTALL)[1]
    assert re.findall(r"<tr[^>]*><td>(\w)</td>", rows) == ["a", "b", "c"] and 'aria-sort="ascending"' in result.stdout

"""The path of a newcomer, as the documents print it: the configuration of README, a target from a table of one's own, then the pictures,
reports and exports of tools/README."""
import os
import re
import shlex
import shutil
import subprocess

import numpy as np
import pytest
from boltzcurve_tools import read_run
from boltzcurve_tools.draw.weights import find_modes
from support import PROGRAM, RUNS, SOURCE, succeeds

SHORT = ["--training.steps=20", "--collocation.points=128", "--sampling.particles=500", "--evaluation.exact-samples=200", "--quiet"]


def blocks(document, language):
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", (SOURCE / document).read_text(), re.MULTILINE | re.DOTALL)


def program(*arguments, cwd=SOURCE):
    result = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, cwd=cwd)
    assert result.returncode == 0, f"{arguments}: exit code {result.returncode}: {result.stderr}"
    return result.stdout


def test_the_configuration_of_the_readme_runs_and_is_reported(tmp_path):
    configurations = blocks("README.md", "ini")
    assert configurations
    for k, text in enumerate(configurations):
        (tmp_path / f"{k}.ini").write_text(text)
        program("run", "--config", tmp_path / f"{k}.ini", *SHORT, "--output", tmp_path / f"run{k}")
        succeeds("report", tmp_path / f"run{k}")
        assert (tmp_path / f"run{k}/report.html").stat().st_size > 50000


def test_a_target_from_a_table_of_ones_own(tmp_path):
    # The files of jobs/README, by the names that it gives them.
    table, = blocks("jobs/README.md", "csv")
    configuration, = (text for text in blocks("jobs/README.md", "ini") if "modes = modes.csv" in text)
    (tmp_path / "modes.csv").write_text(table)
    (tmp_path / "mine.ini").write_text(configuration)
    for line in commands("jobs/README.md", "boltzcurve run --config mine.ini --validate"):
        assert "gaussian-mixture, 2" in program(*shlex.split(line)[1:], cwd=tmp_path)
    program("run", "--config", tmp_path / "mine.ini", *SHORT, "--training.steps=100", "--sampling.particles=2000", "--output", tmp_path / "mine")
    run = read_run(tmp_path / "mine")
    # The energy that samples carry is that of the table: log Z = 0.
    x = run.samples.position
    usable = run.samples.usable
    assert usable.mean() > 0.9
    log_density = np.logaddexp(*(np.log(weight / (0.5 * np.pi)) - ((x[usable] - mean) ** 2).sum(1) / 0.5
                                 for weight, mean in ((0.25, [-4, 0]), (0.75, [4, 1]))))
    assert run.samples.energy[usable] == pytest.approx(-log_density, rel=1e-9, abs=1e-8)
    modes = find_modes(run)
    for place in ([-4, 0], [4, 1]):
        assert np.linalg.norm(modes.place - place, axis=1).min() < 0.5, modes.place
    succeeds("report", tmp_path / "mine")


def test_a_library_of_ones_own(tmp_path):
    # The block of jobs/README as it stands, from a folder where its paths are right; the run short.
    block, = (text for text in blocks("jobs/README.md", "sh") if text.startswith("cc "))
    for name in ("include", "tests"):
        (tmp_path / name).symlink_to(SOURCE / name)
    *setup, run = block.strip().splitlines()
    for line in setup:
        subprocess.run(line, shell=True, check=True, cwd=tmp_path)
    program(*shlex.split(run)[1:], *SHORT, "--training.steps=100", "--sampling.particles=2000", cwd=tmp_path)
    metrics = read_run(tmp_path / "runs/mine").metrics
    # log 2 pi, of the bent normal; a false alarm of five standard errors: 6e-7.
    assert abs(metrics["log_z"] - np.log(2 * np.pi)) < 5 * metrics["log_z_stderr"] + 1e-3


def commands(document, beginning):
    lines = [line for block in blocks(document, "sh") for line in block.splitlines() if line.startswith(beginning)]
    assert lines, f"{document} has no command that begins with {beginning}"
    return lines


def test_every_command_of_the_tools_readme_works_as_printed(tmp_path):
    for name, run in (("three_modes", "plane"), ("another", "without_frames"), ("sweep", "sweep")):
        shutil.copytree(RUNS / run, tmp_path / "runs" / name)
    for line in commands("tools/README.md", "tools/boltzcurve-tools"):
        result = subprocess.run([str(SOURCE / "tools/boltzcurve-tools"), *shlex.split(line)[1:]], capture_output=True, text=True, cwd=tmp_path,
                                env={**os.environ, "PATH": "/usr/bin:/bin"})
        if "xarray" in result.stderr and result.returncode == 2:
            continue  # the one optional package, asked for by name
        assert result.returncode == 0, f"{line}: exit code {result.returncode}: {result.stderr}"


def test_every_configuration_of_the_documents_is_shown_as_printed():
    shown = [line for document in ("README.md", "jobs/README.md") for block in blocks(document, "sh") for line in block.splitlines()
             if "--show-config" in line and line.startswith("boltzcurve")]
    assert shown
    for line in shown:
        assert "[target]" in program(*shlex.split(line, comments=True)[1:])

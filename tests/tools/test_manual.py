"""What the program says of itself: its help makes a manual page, and bash completes with the script."""
import re
import shutil
import subprocess

import pytest
from support import PROGRAM


def listed(topic):
    return subprocess.run([PROGRAM, "list", topic], capture_output=True, text=True, check=True).stdout


def completions(tmp_path, *words):
    """What bash offers for the last word. A word with = is three, as bash splits it."""
    script = tmp_path / "completion"
    script.write_text(listed("completion"))
    split = [part for word in words for part in (re.split("(=)", word) if "=" in word else [word])]
    code = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _boltzcurve; printf "%s\\n" "${COMPREPLY[@]}"; complete -p boltzcurve'
    result = subprocess.run(["bash", "-eu", "-c", code, "bash", str(script), *split], capture_output=True, text=True, check=True)
    *offered, registered = result.stdout.splitlines()
    assert registered == "complete -F _boltzcurve boltzcurve" and not result.stderr
    return [word for word in offered if word]


def test_bash_completes_commands_keys_values_and_files(tmp_path):
    assert completions(tmp_path, "boltzcurve", "ev") == ["evaluate"]
    assert completions(tmp_path, "boltzcurve", "run", "--network.h") == ["--network.head-width", "--network.hidden-layers"]
    assert completions(tmp_path, "boltzcurve", "run", "--curve.name=l") == ["linear", "learned"]
    assert completions(tmp_path, "boltzcurve", "run", "--curve.name=") == ["gradient-flow", "linear", "learned"]
    assert completions(tmp_path, "boltzcurve", "run", "--precision", "d") == ["double"]
    assert completions(tmp_path, "boltzcurve", "run", "--target.name=many") == ["many-well"]
    assert completions(tmp_path, "boltzcurve", "list", "opt") == ["optimizers"]
    (tmp_path / "my.ini").write_text("")
    assert completions(tmp_path, "boltzcurve", "run", "--config", f"{tmp_path}/m") == [f"{tmp_path}/my.ini"]
    assert completions(tmp_path, "boltzcurve", "run", "--training.nonsense") == []


def test_the_help_makes_a_manual_page_without_fault(tmp_path):
    if any(shutil.which(tool) is None for tool in ("help2man", "man", "groff")):
        pytest.skip("no help2man, man and groff here: apt-get install help2man man-db groff-base")
    page = subprocess.run(["help2man", "--no-info", PROGRAM], capture_output=True, text=True, check=True).stdout
    (tmp_path / "boltzcurve.1").write_text(page)
    result = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", str(tmp_path / "boltzcurve.1")], capture_output=True, text=True,
                            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANPAGER": "cat", "MANWIDTH": "100", "MAN_KEEP_FORMATTING": ""})
    assert result.returncode == 0 and result.stderr == "", result.stderr
    words = " ".join(re.sub(r".\x08", "", result.stdout).split())
    for text in ("Exit codes:", "--max-walltime TIME", "evaluate measure samples.h5md", "stopped early on request (can be resumed)"):
        assert text in words, text

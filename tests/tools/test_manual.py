"""What the program says of itself: the manual page is clean roff with every key, and bash completes with the script."""
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
    assert completions(tmp_path, "boltzcurve", "run", "--network.h") == ["--network.hidden-layers"]
    assert completions(tmp_path, "boltzcurve", "run", "--curve.name=l") == ["linear", "learned"]
    assert completions(tmp_path, "boltzcurve", "run", "--curve.name=") == ["gradient-flow", "linear", "learned"]
    assert completions(tmp_path, "boltzcurve", "run", "--precision", "d") == ["double"]
    assert completions(tmp_path, "boltzcurve", "run", "--target.name=many") == ["many-well"]
    assert completions(tmp_path, "boltzcurve", "list", "opt") == ["optimizers"]
    (tmp_path / "my.ini").write_text("")
    assert completions(tmp_path, "boltzcurve", "run", "--config", f"{tmp_path}/m") == [f"{tmp_path}/my.ini"]
    assert completions(tmp_path, "boltzcurve", "run", "--training.nonsense") == []


def test_the_manual_page_has_every_key_and_no_fault(tmp_path):
    page = listed("man")
    keys = re.findall(r"^\| `([\w-]+)`", listed("reference"), re.MULTILINE)
    assert len(keys) > 50
    for key in keys:
        escaped = key.replace("-", r"\-")
        assert f"\\fB{escaped}\\fR" in page, key
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("no man and groff here: apt-get install man-db groff-base")
    (tmp_path / "boltzcurve.1").write_text(page)
    result = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", str(tmp_path / "boltzcurve.1")], capture_output=True, text=True,
                            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANPAGER": "cat", "MANWIDTH": "100", "MAN_KEEP_FORMATTING": ""})
    assert result.returncode == 0 and result.stderr == "", result.stderr
    words = " ".join(re.sub(r".\x08", "", result.stdout).split())
    for text in ("EXIT STATUS", "--max-walltime TIME", "[training]", "stopped early on request; can be resumed"):
        assert text in words, text

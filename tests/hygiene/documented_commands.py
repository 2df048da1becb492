"""What README and CONTRIBUTING tell the reader to run or to open is there: documented_commands.py ROOT

In code blocks marked sh: scripts exist and are executable, CMake presets are defined, named files of jobs and tests exist. Links to files
of the tree lead somewhere. The first block of README is the two commands of a fresh machine, and no more.
"""
import json
import os
import pathlib
import re
import shlex
import sys

from tree import conclude

root = pathlib.Path(sys.argv[1])
presets = {preset["name"] for preset in json.loads((root / "CMakePresets.json").read_text())["configurePresets"]}
start = ["tools/quickstart.sh", "tools/run_tests.sh"]
findings, looked_at = [], 0

for name in ("README.md", "CONTRIBUTING.md", "jobs/README.md", "jobs/OPTIONS.md", "tools/README.md", "tools/FORMATS.md", "tests/perf/README.md"):
    text = (root / name).read_text()
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    blocks = [[line for line in block.splitlines() if line.strip()] for block in blocks]
    if name == "README.md" and [shlex.split(line, comments=True)[0] for line in (blocks or [[]])[0]] != start:
        findings.append(f"{name}: the first block should be {' and '.join(start)}, found {(blocks or [[]])[0]}")
    for line in (line for block in blocks for line in block):
        words = shlex.split(line, comments=True)
        looked_at += 1
        for i, word in enumerate(words):
            if re.match(r"(\./)?(tools/|\.ci/|tests/.*\.(py|sh)$)", word) and not os.access(root / word, os.X_OK):
                findings.append(f"{name}: `{line}`: {word} is not there or not executable")
            elif word.startswith(("jobs/", "tests/")) and not (root / word).exists():
                findings.append(f"{name}: `{line}`: {word} does not exist")
            elif word == "--preset" and words[i + 1] not in presets:
                findings.append(f"{name}: `{line}`: CMakePresets.json has no preset {words[i + 1]}")
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)\)", prose):
        looked_at += 1
        if not re.match(r"[a-z]+:", target) and not (root / name).parent.joinpath(target).exists():
            findings.append(f"{name}: link to {target}, which does not exist")
conclude("documented commands and links", looked_at, findings)

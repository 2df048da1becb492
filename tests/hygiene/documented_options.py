"""jobs/OPTIONS.md is what the program says of its keys: documented_options.py ROOT EXECUTABLE"""
import difflib
import pathlib
import subprocess
import sys

from tree import conclude

root, executable = pathlib.Path(sys.argv[1]), sys.argv[2]
reference = subprocess.run([executable, "list", "reference"], capture_output=True, text=True, check=True).stdout.strip().splitlines()
page = (root / "jobs/OPTIONS.md").read_text().strip().splitlines()
start = next((i for i, line in enumerate(page) if line.startswith("## ")), len(page))
apart = [line for line in difflib.unified_diff(page[start:], reference, "jobs/OPTIONS.md", "list reference", lineterm="", n=0)]
conclude("lines of the option reference", len(reference),
         ["jobs/OPTIONS.md is behind; run: tools/update_reference.sh PROGRAM", *apart] if apart else [])

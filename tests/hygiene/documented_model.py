"""The tables of the scaling model in tests/perf/README.md are those that tests/perf/scaling_model.py prints: documented_model.py ROOT"""
import pathlib
import subprocess
import sys

from tree import conclude

folder = pathlib.Path(sys.argv[1]) / "tests/perf"
documented = set((folder / "README.md").read_text().splitlines())
printed = subprocess.run([sys.executable, "-B", folder / "scaling_model.py"], capture_output=True, text=True, check=True).stdout
rows = [line for line in printed.splitlines() if line.startswith("|")]
conclude("rows of the scaling model", len(rows),
         [f"tests/perf/README.md lacks the row of scaling_model.py: {row}" for row in rows if row not in documented])

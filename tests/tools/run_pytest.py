"""Runs one file of tests of the tools with pytest, by a Python that has what the tools need: run_pytest.py SOURCE FILE [PYTHON]

Exit code 77, skipped, where no such Python is found: tools/install_dependencies.sh brings it.
"""
import os
import subprocess
import sys

source, file = sys.argv[1], sys.argv[2]
candidates = sys.argv[3:] or [sys.executable, "/usr/bin/python3"]
NEEDED = "import pytest, h5py, numpy, matplotlib"


def can(python):
    return subprocess.run([python, "-c", NEEDED], capture_output=True).returncode == 0


python = next((candidate for candidate in candidates if os.access(candidate, os.X_OK) and can(candidate)), None)
if python is None:
    print(f"skipped: none of {', '.join(candidates)} has pytest, h5py, numpy and matplotlib; tools/install_dependencies.sh installs them")
    sys.exit(77)
environment = {**os.environ, "PYTHONPATH": os.pathsep.join([f"{source}/tools", f"{source}/tests/tools"]), "PYTHONDONTWRITEBYTECODE": "1"}
result = subprocess.run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error::RuntimeWarning", file], env=environment)
sys.exit(result.returncode)

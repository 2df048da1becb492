"""The program accepts every configuration of jobs/configs and plans every sweep of jobs/sweeps: accepted_configurations.py ROOT EXECUTABLE"""
import pathlib
import subprocess
import sys
import tempfile

from tree import conclude

root, executable = pathlib.Path(sys.argv[1]), sys.argv[2]
configurations, findings = sorted((root / "jobs/configs").rglob("*.ini")), []
for path in configurations:
    result = subprocess.run([executable, "run", "--config", str(path), "--show-config"], capture_output=True, text=True)
    if result.returncode:
        findings.append(f"{path.relative_to(root)}: exit code {result.returncode}: {result.stderr.strip()}")
    elif "[target]" not in result.stdout:
        findings.append(f"{path.relative_to(root)}: --show-config printed no [target] section: {result.stdout[:200]!r}")
sweeps = sorted((root / "jobs/sweeps").glob("*.ini"))
for path in sweeps:
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run([executable, "sweep", "plan", str(path), "--output", folder], capture_output=True, text=True)
    if result.returncode:
        findings.append(f"{path.relative_to(root)}: exit code {result.returncode}: {result.stderr.strip()}")
conclude("configurations and sweeps", len(configurations) + len(sweeps), findings)

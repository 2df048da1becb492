"""The program accepts every configuration of jobs/configs: accepted_configurations.py ROOT EXECUTABLE"""
import pathlib
import subprocess
import sys

from tree import conclude

root, executable = pathlib.Path(sys.argv[1]), sys.argv[2]
configurations, findings = sorted((root / "jobs/configs").rglob("*.ini")), []
for path in configurations:
    result = subprocess.run([executable, "run", "--config", str(path), "--show-config"], capture_output=True, text=True)
    if result.returncode:
        findings.append(f"{path.relative_to(root)}: exit code {result.returncode}: {result.stderr.strip()}")
    elif "[target]" not in result.stdout:
        findings.append(f"{path.relative_to(root)}: --show-config printed no [target] section: {result.stdout[:200]!r}")
conclude("configurations", len(configurations), findings)

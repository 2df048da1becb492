"""Runs jobs/problems.sh on two problems and reads its table: problems.py SOURCE SCRATCH PROGRAM"""
import csv
import json
import pathlib
import shutil
import subprocess
import sys

source, scratch, program = map(pathlib.Path, sys.argv[1:4])
SMALL = ("--training.steps=5", "--pilot.particles=512", "--sampling.particles=640", "--evaluation.exact-samples=100")


def problems(*arguments):
    return subprocess.run([str(source / "jobs/problems.sh"), "--output", str(scratch), "--program", str(program), *arguments],
                          capture_output=True, text=True)


def rows():
    with open(scratch / "problems.csv", newline="") as file:
        return {(row["problem"], row["seed"]): row for row in csv.DictReader(file)}


shutil.rmtree(scratch, ignore_errors=True)
result = problems("student_t", "ionosphere", "--seeds", "1 2", "--", *SMALL, "--sampling.method=smc")
assert result.returncode == 0, result
table = rows()
assert set(table) == {("student_t", "1"), ("student_t", "2"), ("ionosphere", "1"), ("ionosphere", "2")}, table
for (name, seed), row in table.items():
    evaluation = json.loads((scratch / name / f"seed{seed}/evaluation.json").read_text())
    assert float(row["ESS"]) == evaluation["ess"] and float(row["log Z"]) == evaluation["log_z"], row
    # The target's own, and the number in the head of the configuration.
    assert abs(float(row["known"]) - {"student_t": 6.521158, "ionosphere": -111.607}[name]) < 1e-5, row
    assert abs(float(row["z"]) - (float(row["log Z"]) - float(row["known"])) / float(row["std error"])) < 1e-9, row
    assert float(row["processor seconds"]) > 0 and float(row["gradients"]) > 1000, row
text = (scratch / "problems.md").read_text()
assert text in result.stdout and text.count("\n| ") == 4 and "Of 4 errors of log Z" in text, text
assert (scratch / "problems.png").stat().st_size > 10_000

# What is done is not repeated; what fails is told, and is no end.
before = (scratch / "student_t/seed1/evaluation.json").stat().st_mtime_ns
shutil.rmtree(scratch / "ionosphere/seed2")
result = problems("student_t", "ionosphere", "--seeds", "1 2", "--", *SMALL, "--sampling.island=100")
assert result.returncode == 0 and "sampling.island = 100" in result.stdout, result
assert (scratch / "student_t/seed1/evaluation.json").stat().st_mtime_ns == before
failed = rows()["ionosphere", "2"]
assert failed["ESS"] == "" and "exit code 2" in failed["diagnosis"], failed

for arguments, code, words in ((("nothing",), 3, "there is no jobs/configs/problems/nothing.ini"), (("--wrong",), 2, "unknown option --wrong")):
    result = problems(*arguments)
    assert result.returncode == code and words in result.stderr, result
print("problems: runs, table, figure and refusals as expected")

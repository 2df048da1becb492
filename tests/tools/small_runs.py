"""Makes small real runs for the tests of the tools: small_runs.py EXECUTABLE MPIRUN FOLDER"""
import os
import pathlib
import shutil
import subprocess
import sys

executable, mpirun, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
SMALL = ["--pilot.particles=600", "--network.width=16", "--network.hidden-layers=2", "--collocation.points=256", "--training.steps=40", "--training.log-every=10",
         "--training.evaluate-every=20", "--sampling.particles=400", "--evaluation.exact-samples=300"]
RUNS = {  # name: options
    "plane": ["--target.name=gaussian-mixture", "--target.preset=three", "--sampling.frames=4", "--curve.form=contracted"],
    "space": ["--target.name=gaussian-mixture", "--target.mode=0.5|-1 0 1|0.5", "--target.mode=0.5|1 0.5 -1|0.7", "--sampling.frames=5"],
    "four": ["--target.name=many-well", "--target.dimension=4", "--sampling.frames=3", "--curve.form=contracted"],
    "without_frames": ["--target.name=gaussian-mixture", "--target.preset=two", "--curve.form=contracted"],  # with walkers and trajectories
}
environment = {**os.environ, "OMP_NUM_THREADS": "1"}
shutil.rmtree(folder, ignore_errors=True)
for name, options in RUNS.items():
    result = subprocess.run([mpirun, "--oversubscribe", "-n", "2", executable, "run", *SMALL, *options, "--quiet", "--output", str(folder / name)],
                            capture_output=True, text=True, env=environment)
    assert result.returncode == 0, f"{name}: exit code {result.returncode}: {result.stderr}"
for rate in ("0.01", "0.003"):
    for width in (8, 16):
        result = subprocess.run([executable, "run", *SMALL, "--target.name=gaussian-mixture", "--target.preset=two", f"--network.width={width}",
                                 f"--optimizer.learning-rate={rate}", "--quiet", "--output", str(folder / f"sweep/width{width}_rate{rate}")],
                                capture_output=True, text=True, env=environment)
        assert result.returncode == 0, f"width {width}: exit code {result.returncode}: {result.stderr}"
print(f"{len(RUNS) + 4} runs in {folder}")

"""Runs tools/plot_run.py on small runs made here and reads its picture and its messages: plot_run.py SOURCE SCRATCH

The files follow the formats that the program writes; the samples are exact draws of a known law with known weights.
"""
import json
import pathlib
import subprocess
import sys

source, scratch = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
sys.path.insert(0, str(source / "tools"))
import plotting  # noqa: E402,F401  first: starts again with the system's Python where this one lacks a package
import h5py  # noqa: E402
import matplotlib.image  # noqa: E402
import numpy as np  # noqa: E402

TOOL = source / "tools/plot_run.py"
MODES = 4.0 * np.array([[0.0, 1.0], [-0.87, -0.5], [0.87, -0.5]])


def make_run(name, dimension, frames=0, evaluations=1, failed=0, particles=5000):
    """A run on unit Gaussians around MODES (first two coordinates), normal in the others; weights scatter by 0.1 nats."""
    folder = scratch / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    draw = np.random.default_rng(7)
    x = draw.standard_normal((particles, dimension))
    modes = MODES[:, :min(2, dimension)]
    x[:, :2] += modes[draw.integers(0, 3, particles)]
    away = ((x[:, None, :2] - modes) ** 2).sum(2)
    energy = -np.log(np.exp(-away / 2).sum(1) / 3) + (x[:, 2:] ** 2).sum(1) / 2 + dimension / 2 * np.log(2 * np.pi)  # log Z = 0
    log_weight = 0.1 * draw.standard_normal(particles)
    log_density = -energy - log_weight
    log_weight[:failed] = -np.inf
    x[:failed // 2] = np.nan
    with h5py.File(folder / "samples.h5md", "w") as file:
        file["samples/position"], file["samples/log_density"], file["samples/log_weight"] = x, log_density, log_weight
        file["samples/status"], file["samples/id"] = (np.arange(particles) < failed).astype("i4"), np.arange(particles)
        if frames:
            latent = draw.standard_normal((particles, dimension))
            share = np.linspace(0, 1, frames)[:, None, None]
            path = (1 - share) * latent + share * x
            padded = np.zeros((frames, particles, 3))
            padded[..., :min(3, dimension)] = path[..., :3]
            trajectory = file.create_group("particles/trajectory")
            trajectory["position/value"], trajectory["position/step"] = padded, np.arange(frames)
            trajectory["position/time"] = np.linspace(5, 0, frames)
            if dimension != 3:
                trajectory["coordinates/value"] = path
    steps = np.arange(1, 2001, 10)
    with h5py.File(folder / "metrics.h5", "w") as file:
        file["training/step"], file["training/loss"] = steps, 30 / steps**0.7 * np.exp(0.3 * draw.standard_normal(len(steps)))
        file["training/gradient_norm"] = 80 / steps**0.5
        file["evaluation/step"], file["evaluation/ess"] = np.linspace(100, 2000, evaluations), np.linspace(0.3, 0.98, evaluations)
    (folder / "evaluation.json").write_text(json.dumps({"target": "gaussian-mixture", "curve": "gradient-flow", "particles": particles, "ess": 0.98,
                                                        "ess_forward": None, "log_z": 0.001, "log_z_stderr": 0.002, "log_z_exact": 0.0, "escaped": failed,
                                                        "ranks": 2, "seconds_train": 12.5, "seconds_sample": 1.25}))
    return folder


def run_tool(*arguments):
    return subprocess.run([str(TOOL), *map(str, arguments)], capture_output=True, text=True)


def draws_a_picture(name, **what):
    folder = make_run(name, **what)
    result = run_tool(folder)
    assert result.returncode == 0, f"{name}: exit code {result.returncode}: {result.stderr}"
    assert result.stdout.strip() == f"picture: {folder / 'run.png'}", result.stdout
    assert not result.stderr, f"{name}: warnings: {result.stderr}"
    picture = matplotlib.image.imread(folder / "run.png")[..., :3]
    assert picture.shape[:2] == (1200, 1920), picture.shape
    # Each of the 2 x 3 panels has ink: colors other than the white ground on at least one pixel in a hundred.
    for row in np.array_split(picture, 2, axis=0):
        for panel in np.array_split(row, 3, axis=1):
            ink = (panel.min(2) < 0.9).mean()
            assert ink > 0.01, f"{name}: a panel is blank ({ink:.4f} of its pixels drawn)"
    return picture


def refuses(folder, *parts):
    result = run_tool(folder)
    assert result.returncode == 3, f"expected exit code 3, found {result.returncode}: {result.stderr}"
    for part in parts:
        assert part in result.stderr, f"expected '{part}' in: {result.stderr}"
    assert "Traceback" not in result.stderr, result.stderr
    assert not list(pathlib.Path(folder).glob("*.png*")), "left a picture behind"


plain = draws_a_picture("plane", dimension=2)
assert (plain != draws_a_picture("plane_with_frames", dimension=2, frames=21, evaluations=5, failed=10)).any()
draws_a_picture("line_with_frames", dimension=1, frames=11)
draws_a_picture("space", dimension=3, frames=5)
draws_a_picture("eight_dimensions", dimension=8, evaluations=3)

folder = make_run("incomplete", dimension=2)
(folder / "evaluation.json").unlink()
(folder / "metrics.h5").unlink()
refuses(folder, "evaluation.json (written by boltzcurve run, or evaluate)", "metrics.h5", str(folder))
refuses(scratch / "nowhere", "samples.h5md", "nowhere")
folder = make_run("corrupt", dimension=2)
(folder / "samples.h5md").write_bytes(b"no HDF5 at all")
refuses(folder, "samples.h5md")
folder = make_run("without_a_column", dimension=2)
with h5py.File(folder / "metrics.h5", "a") as file:
    del file["training/loss"]
refuses(folder, "metrics.h5", "loss")
refuses(make_run("all_failed", dimension=2, failed=5000), "0 of 5000 particles have a finite weight")
print("plot_run: 5 pictures, 5 refusals as expected")

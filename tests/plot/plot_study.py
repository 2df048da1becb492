"""Runs tools/plot_study.py on tables made here and reads its pictures and its messages: plot_study.py SOURCE SCRATCH"""
import pathlib
import subprocess
import sys

source, scratch = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
sys.path.insert(0, str(source / "tools"))
import plotting  # noqa: E402,F401  first: starts again with the system's Python where this one lacks a package
import matplotlib.image  # noqa: E402

TOOL = source / "tools/plot_study.py"


def folder_with(name, **files):
    folder = scratch / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    for file, text in files.items():
        (folder / f"{file}.csv").write_text(text)
    return folder


def run_tool(folder):
    return subprocess.run([str(TOOL), str(folder)], capture_output=True, text=True)


def draws(folder, *pictures):
    result = run_tool(folder)
    assert result.returncode == 0, f"exit code {result.returncode}: {result.stderr}"
    assert result.stdout.split() == [word for name in pictures for word in ("picture:", str(folder / name))], result.stdout
    assert not result.stderr, result.stderr
    for name in pictures:
        picture = matplotlib.image.imread(folder / name)[..., :3]
        for half in (picture[:, : picture.shape[1] // 2], picture[:, picture.shape[1] // 2:]):
            assert (half.min(2) < 0.9).mean() > 0.01, f"{name}: half of it is blank"


def refuses(folder, *parts):
    result = run_tool(folder)
    assert result.returncode == 3, f"expected exit code 3, found {result.returncode}: {result.stderr}"
    for part in parts:
        assert part in result.stderr, f"expected '{part}' in: {result.stderr}"
    assert "Traceback" not in result.stderr, result.stderr
    assert not list(folder.glob("*.png")), "left a picture behind"


header = "distance,curve,t,velocity_norm,action\n"
rows = [f"{d},{curve},{t},{2.0 ** (d * t)},{d * d}\n" for d in (5, 10) for curve in ("linear", "gradient-flow") for t in (0, 0.5, 1)]
draws(folder_with("velocity", velocity_explosion=header + "".join(rows)), "velocity_explosion.png")
draws(folder_with("networks", velocity_explosion_networks="distance,dimension,curve,t,velocity_norm,velocity_norm_error,action,action_error,particles,failed,run\n"
                  + "".join(f"8,2,{curve},{t},{1 + t},0.1,4,0.5,100,0,networks/{curve}\n" for curve in ("linear", "learned") for t in (0, 1))),
      "velocity_explosion_networks.png")
draws(folder_with("action", action="distance,dimension,curve,source,wasserstein_action,wasserstein_action_error,fisher_rao_action,fisher_rao_action_error,duration,w2,w2_kind,failed\n"
                  + "".join(f"{d},1,{curve},quadrature,{d ** 3},0,{d},0,1,{d},exact,0\n" for curve in ("linear", "gradient-flow") for d in (4, 8))
                  + "4,1,linear,runs/a,60,2,,,1,4.1,sliced,0\n"), "action.png")
draws(folder_with("ablation", ablation="latent,schedule,curve,ess,ess_forward,nll,nll_floor,error\ngaussian scale=1,linear,gradient-flow,0.9,0.8,3.4,3.3,\n"
                  "gaussian scale=3,-,linear,,,,,curve.horizon: too much\n"), "ablation.png")
refuses(folder_with("nothing"), "velocity_explosion.csv", "boltzcurve study")
refuses(folder_with("no_rows", velocity_explosion=header), "holds no rows")
refuses(folder_with("no_column", velocity_explosion="distance,curve\n5,linear\n"), "velocity_explosion.csv", "t")
refuses(folder_with("no_number", velocity_explosion=header + "5,linear,x,1,2\n"), "a number was expected")
print("plot_study: pictures and refusals as expected")

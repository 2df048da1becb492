"""Pictures: none is blank, captions count right, modes are found where they are, and a run that cannot be drawn is refused."""
import dataclasses

import h5py
import matplotlib.image
import numpy as np
import pytest
from boltzcurve_tools import InputError, read_run
from boltzcurve_tools.draw.paths import mean_square_velocity
from boltzcurve_tools.draw.corner import levels_of
from boltzcurve_tools.draw.pictures import BY_NAME, PICTURES, make_picture
from boltzcurve_tools.draw.style import logarithmic, plainly, plt, save
from boltzcurve_tools.draw.weights import find_modes
from boltzcurve_tools.progress import Progress
from boltzcurve_tools.runs import Samples, Trajectory
from support import RUNS, refuses, spoiled, succeeds  # noqa: F401


def ink(path):
    """The share of pixels that are not ground."""
    return float((matplotlib.image.imread(path)[..., :3].min(2) < 0.9).mean())


@pytest.mark.parametrize("name", ["plane", "four"])
@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_every_picture_of_every_run_has_ink(name, picture, tmp_path):
    figure, caption = make_picture(picture, read_run(RUNS / name))
    assert caption.heading and caption.detail
    save(figure, tmp_path / "picture.png", dpi=60, facecolor="white")
    assert ink(tmp_path / "picture.png") > 0.01
    assert not plt.get_fignums(), "a figure stays in memory"


def mixture_run(shares, weights_of=lambda owner: np.zeros(len(owner)), particles=20000):
    """A run whose samples are unit normals around (-6, 0), (0, 6), (6, 0), in these shares, on the target with equal shares."""
    draw = np.random.default_rng(3)
    places = np.array([[-6.0, 0], [0, 6], [6, 0]])
    owner = draw.choice(3, particles, p=shares)
    x = places[owner] + draw.standard_normal((particles, 2))
    energy = -np.log(sum(np.exp(-((x - place) ** 2).sum(1) / 2) for place in places) / 3 / (2 * np.pi))
    log_weight = weights_of(owner)
    samples = Samples(x, -energy - log_weight, log_weight, np.zeros(particles, int), ("finished",), np.zeros(particles, int),
                      np.arange(particles), True)
    return dataclasses.replace(read_run(RUNS / "plane"), samples=samples)


def test_modes_are_found_and_weighed():
    # Weights that undo the unequal shares: the reweighted ones are 1/3 each, within 4 standard errors (false alarm: 2e-4).
    shares = np.array([0.5, 0.3, 0.2])
    modes = find_modes(mixture_run(shares, lambda owner: -np.log(3 * shares[owner])))
    assert len(modes.share) == 3
    order = np.argsort(modes.place[:, 0])
    assert np.abs(modes.place[order] - [[-6, 0], [0, 6], [6, 0]]).max() < 0.5
    assert np.abs(modes.share[order] - shares).max() < 4 * np.sqrt(0.25 / 20000)
    assert (np.abs(modes.reweighted - 1 / 3) < 4 * modes.error).all()


def test_a_corner_has_the_weighted_marginals_and_the_names_of_the_parameters():
    shares = np.array([0.5, 0.3, 0.2])
    run = dataclasses.replace(mixture_run(shares, lambda owner: -np.log(3 * shares[owner])), summary={"parameter": ["mu", "theta.1"]})
    figure, caption = make_picture(BY_NAME["corner"], run)
    of_mu, _, pair, _ = figure.axes
    assert pair.get_xlabel() == "mu" and pair.get_ylabel() == "theta.1" and "50 % and 90 %" in caption.detail
    # A third of the mass lies at the first of three centers on the line, within 4 standard errors of shares (false alarm: 6e-5).
    left = sum(patch.get_height() for patch in of_mu.patches if patch.get_x() + patch.get_width() / 2 < -3)
    assert abs(left - 1 / 3) < 4 * np.sqrt(0.25 / 20000)
    plt.close(figure)


def test_levels_of_a_picture_hold_their_share_of_the_mass():
    histogram = np.array([[40.0, 30.0], [25.0, 5.0]])
    assert levels_of(histogram) == [25.0, 30.0]


def test_errors_of_mode_weights_are_in_view():
    run = read_run(RUNS / "plane")
    modes = find_modes(run)
    figure, _ = make_picture(BY_NAME["modes"], run)
    assert figure.axes[0].get_ylim()[1] > (modes.reweighted + 2 * modes.error).max()
    plt.close(figure)


def test_one_normal_is_one_mode():
    draw = np.random.default_rng(5)
    x = draw.standard_normal((20000, 3))
    energy = (x**2).sum(1) / 2
    samples = Samples(x, -energy, np.zeros(20000), np.zeros(20000, int), ("finished",), np.zeros(20000, int), np.arange(20000), True)
    assert len(find_modes(dataclasses.replace(read_run(RUNS / "plane"), samples=samples)).share) == 1


def test_the_velocity_of_uniform_motion_is_exact():
    time = np.array([5.0, 3.0, 2.5, 0.0])
    start, speed = np.random.default_rng(1).standard_normal((2, 30, 2))
    frames = start + speed * time[:, None, None]
    middles, square = mean_square_velocity(Trajectory(np.arange(4), time, frames, 30))
    assert middles == pytest.approx([4, 2.75, 1.25]) and square == pytest.approx(np.full(3, (speed**2).sum(1).mean()))


def test_the_command_writes_all_pictures_and_names_them(spoiled):  # noqa: F811
    folder = spoiled("without_frames")
    result = succeeds("plot", folder, "--what", "all")
    assert result.stdout.count("picture: ") == 9 and (folder / "run.png").is_file()
    assert "left out trajectories" in result.stderr and "--sampling.frames=21" in result.stderr
    succeeds("plot", folder, "--what", "loss", "--format", "svg")
    assert (folder / "loss.svg").read_text().startswith("<?xml")


def test_refusals(spoiled, tmp_path):  # noqa: F811
    refuses(2, "plot", RUNS / "plane", "--what", "nonsense", says=["unknown picture nonsense", "weights"])
    refuses(3, "plot", tmp_path / "none", says=["none", "no output folder of a run"])
    refuses(3, "plot", RUNS / "without_frames", "--what", "velocity", "--output", tmp_path / "v.png", says=["no frames"])
    refuses(3, "plot", RUNS / "plane", "--output", tmp_path / "no/where.png", says=["cannot write", "No such file"])
    refuses(2, "plot", RUNS / "plane", "--what", "all", "--output", tmp_path / "a.png", says=["several pictures"])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="0 of 20000 particles have a finite weight"):
        make_picture(PICTURES[0], mixture_run([1, 0, 0], lambda owner: np.full(len(owner), -np.inf)))


def test_a_logarithmic_axis_has_numbers_that_can_be_read():
    for low, high in ((0.99441, 0.99749), (7.2, 10.3), (0.3, 8), (0.7, 30000), (1e-9, 1e7)):
        figure, axes = plt.subplots()
        axes.plot([0, 1], [low, high])
        logarithmic(axes.yaxis)
        figure.canvas.draw()
        lower, upper = axes.get_ylim()
        shown = [label.get_text() for at, label in zip(axes.get_yticks(), axes.get_yticklabels()) if lower <= at <= upper]
        assert 3 <= len(shown) <= 14 and len(set(shown)) == len(shown) and not any("e+" in text or "times" in text for text in shown), shown
        plt.close(figure)
    assert [plainly(value) for value in (0.002, 10000, 0.30000000000000004, 1e-9, 2e6)] == ["0.002", "10000", "0.3", "$10^{-9}$", r"$2\cdot10^{6}$"]


def test_a_training_of_one_row_is_no_line_and_says_so():
    run = read_run(RUNS / "plane")
    short = dataclasses.replace(run, training={name: values[:1] for name, values in run.training.items()})
    with pytest.raises(InputError, match="1 logged rows with a loss make no line; training.log-every = 10"):
        make_picture(BY_NAME["loss"], short)


def test_the_residual_is_drawn_over_the_clock_with_its_area():
    bins = {"size": np.linspace(0.1, 0.4, 32), "seen": np.where(np.arange(32) < 30, 5.0, 0)}
    figure, caption = make_picture(BY_NAME["residual"], dataclasses.replace(read_run(RUNS / "plane"), time_bins=bins))
    axes = figure.axes[0]
    assert axes.get_xlim() == (1, 0), "the latent law on the left, as particles travel"
    drawn = axes.patches[0].get_data()
    assert np.array_equal(drawn.values[:30], bins["size"][:30]) and np.isnan(drawn.values[30:]).all() and drawn.edges[-1] == 1
    assert f"the area is {bins['size'][:30].mean():.3g} nats" in caption.detail and "2 parts without points" in caption.detail
    plt.close(figure)
    with pytest.raises(InputError, match="no residuals by time"):
        make_picture(BY_NAME["residual"], dataclasses.replace(read_run(RUNS / "plane"), time_bins={}))


def test_residuals_by_time_are_those_of_the_checkpoint():
    run = read_run(RUNS / "plane")
    with h5py.File(RUNS / "plane/checkpoint.h5") as file:
        assert run.time_bins.keys() == file["time_bins"].keys() and np.array_equal(run.time_bins["size"], file["time_bins/size"][()])
    assert (run.time_bins["size"] > 0).any()


def test_weights_are_shown_from_the_least_to_the_largest():
    run = mixture_run([1 / 3, 1 / 3, 1 / 3], lambda owner: np.where(owner == 0, -20.0, 0.0))
    figure, caption = make_picture(BY_NAME["weights"], run)
    low, high = figure.axes[0].get_xlim()
    assert -23 < low < -19 and 0 < high < 3 and " 0 out of view" in caption.detail
    plt.close(figure)


def test_paths_are_colored_by_frame_and_labelled_with_time():
    figure, _ = make_picture(BY_NAME["trajectories"], read_run(RUNS / "plane"))
    lines, bar = figure.axes[0].collections[0], figure.axes[1]
    assert set(np.round(lines.get_array(), 6)) == {0.5, 1.5, 2.5}
    time = read_run(RUNS / "plane").trajectory.time
    assert [float(label.get_text()) for label in bar.get_yticklabels()] == [float(f"{t:.3g}") for t in time]
    plt.close(figure)


class Terminal:
    """Collects what is written."""

    def __init__(self, is_terminal):
        self.text, self.isatty = "", lambda: is_terminal

    def write(self, text):
        self.text += text

    def flush(self):
        pass


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_counts_and_leaves_a_terminal_clean(is_terminal):
    out, now = Terminal(is_terminal), [0.0]
    with Progress(3, "frames", out, lambda: now[0]) as progress:
        for _ in range(3):
            now[0] += 6
            progress.advance()
    if is_terminal:
        assert "\rframes 2/3, 6 s left" in out.text and out.text.endswith("\r" + " " * len("frames 1/3, 12 s left") + "\r")
    else:
        assert out.text == "frames 2/3, 6 s left\n", "a row every ten seconds"

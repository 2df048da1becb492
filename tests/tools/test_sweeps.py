"""Sweeps: from a collected table and from folders of runs, what varies and what was measured; pictures of them."""
import matplotlib.image
import numpy as np
import pytest
from boltzcurve_tools import InputError
from boltzcurve_tools.draw.style import plt
from boltzcurve_tools.draw.sweeps import best_of, default_pair, make_heat_map, make_parallel_coordinates, make_scatter, position_of, round_ticks
from boltzcurve_tools.sweeps import read_sweep
from support import RUNS, refuses, succeeds

TABLE = """id,state,output,network.width,optimizer.name,training.steps,run.seed,target.name,ess,nll
0,done,r0,16,soap,100,1,rings,0.5,3.25
1,done,r1,64,soap,100,1,rings,0.75,3.0
2,done,r2,16,adam,100,1,rings,0.25,3.5
3,failed,r3,64,adam,100,1,rings,,
4,done,r4,16,soap,100,2,rings,0.6,3.2
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "sweep.csv"
    path.write_text(TABLE)
    return path


def test_a_table_tells_parameters_from_metrics(table):
    sweep = read_sweep(table)
    assert sweep.parameters == ["network.width", "optimizer.name", "run.seed"], "what is the same in every row is no parameter"
    assert sweep.metrics == ["ess", "nll"] and sweep.names == ["0", "1", "2", "3", "4"] and sweep.states[3] == "failed"
    assert np.array_equal(sweep.numbers("ess"), [0.5, 0.75, 0.25, np.nan, 0.6], equal_nan=True)
    assert default_pair(sweep) == ("network.width", "optimizer.name")
    assert read_sweep(table.parent).names == sweep.names, "the table of a folder"


def test_a_table_as_the_program_collects_it(tmp_path):
    (tmp_path / "manifest.csv").write_text("network.width,run.seed\n8,1\n16,1\n")
    (tmp_path / "sweep.csv").write_text("row,state,detail,folder,network.width,step,loss,ess\n0,done,,rows/0,8,100,0.5,0.9\n"
                                        '1,failed,"diverged, at step 7",rows/1,16,7,12.5,\n')
    sweep = read_sweep(tmp_path)
    assert sweep.parameters == ["network.width"] and sweep.metrics == ["step", "loss", "ess"] and sweep.states == ["done", "failed"]


def test_folders_of_runs_make_the_same_kind_of_table():
    sweep = read_sweep(RUNS / "sweep")
    assert sweep.parameters == ["network.width", "optimizer.learning-rate"]
    assert sweep.names == ["width16_rate0.003", "width16_rate0.01", "width8_rate0.003", "width8_rate0.01"]
    assert sorted(sweep.numbers("network.width")) == [8, 8, 16, 16] and np.isfinite(sweep.numbers("ess")).all()
    assert sweep.states == ["finished"] * 4


def test_a_cell_of_a_heat_map_is_the_median_of_its_runs(table):
    figure, caption = make_heat_map(read_sweep(table), "ess", "network.width", "optimizer.name")
    values = figure.axes[0].collections[0].get_array().reshape(2, 2)  # rows: adam, soap; columns: 16, 64
    assert values[0, 0] == 0.25 and values[1, 0] == pytest.approx(0.55) and values[1, 1] == 0.75 and values.mask[0, 1]
    assert "failed" in [text.get_text() for text in figure.axes[0].texts] and "median of up to 2" in caption.detail
    plt.close(figure)


def test_a_cell_without_a_row_is_empty_and_one_without_a_result_says_why(tmp_path):
    (tmp_path / "t.csv").write_text("state,a,b,ess\ndone,1,1,0.5\nended-early,2,1,\ndone,1,2,0.7\n")
    figure, _ = make_heat_map(read_sweep(tmp_path / "t.csv"), "ess", "a", "b")
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["0.5", "0.7", "ended early"]
    plt.close(figure)


def test_draws_that_share_no_values_are_points_in_the_plane(tmp_path):
    rows = "".join(f"done,{10 ** (-k / 3):.6g},{16 + 7 * k},{'' if k == 2 else 0.1 * k}\n" for k in range(9))
    (tmp_path / "t.csv").write_text("state,optimizer.learning-rate,network.width,ess\n" + rows)
    figure, caption = make_heat_map(read_sweep(tmp_path / "t.csv"), "ess", "optimizer.learning-rate", "network.width")
    dots, crosses, ring = figure.axes[0].collections
    assert len(dots.get_offsets()) == 8 and len(crosses.get_offsets()) == 1 and len(ring.get_offsets()) == 1
    assert np.allclose(ring.get_offsets()[0], [0, 1]), "the eighth, of the least rate and the largest width"
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["0.01", "0.1", "1"]
    assert "8 runs; ring: best; crosses: 1 without it" == caption.detail
    plt.close(figure)


def test_the_best_is_what_comes_closest_to_its_bound(tmp_path):
    (tmp_path / "t.csv").write_text("a,nll,nll_floor,sliced_w2,action\n1,3.0,2.5,0.2,5\n2,2.6,2.5,0.1,6\n3,2.1,2.5,0.3,7\n")
    sweep = read_sweep(tmp_path / "t.csv")
    assert best_of(sweep, "nll") == 2.6 and best_of(sweep, "sliced_w2") == 0.1
    assert best_of(sweep, "action") is None, "nothing says what a good one is"
    figure, caption = make_scatter(sweep, "action", "a")
    assert "best" not in caption.detail and "median" not in caption.detail and not figure.axes[0].lines
    plt.close(figure)


def test_a_line_of_parallel_coordinates_for_every_run(table):
    figure, caption = make_parallel_coordinates(read_sweep(table), "nll")
    assert sum(len(line.get_xdata()) == 4 for line in figure.axes[0].lines) == 5 and "1 without it" in caption.detail
    plt.close(figure)


def test_wide_ranges_are_spread_over_their_logarithm(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("optimizer.learning-rate,ess\n1e-4,0.1\n1e-2,0.2\n1e-3,0.3\n")
    place, ticks = position_of(read_sweep(path), "optimizer.learning-rate")
    assert place == pytest.approx([0, 1, 0.5]) and [text for _, text in ticks] == ["0.0001", "0.001", "0.01"]


def test_ticks_are_round_where_values_are_many():
    assert round_ticks(0.0013, 0.075, True) == pytest.approx([0.002, 0.005, 0.01, 0.02, 0.05])
    assert round_ticks(1e-6, 2.0, True) == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1])
    assert round_ticks(0.91, 0.99, False) == pytest.approx([0.92, 0.94, 0.96, 0.98])


def test_the_command_draws_tables_and_folders(table, tmp_path):
    succeeds("plot", table, "--what", "all", "--metric", "nll")
    for name in ("parallel", "heatmap", "scatter"):
        pixels = matplotlib.image.imread(tmp_path / f"sweep_{name}.png")[..., :3]
        assert (pixels.min(2) < 0.9).mean() > 0.005, name
    succeeds("plot", RUNS / "sweep", "--what", "scatter", "--across", "network.width", "--output", tmp_path / "s.svg")
    figure, caption = make_scatter(read_sweep(table), "ess", "optimizer.name")
    assert "4 runs" in caption.detail and "best 0.75" in caption.detail
    plt.close(figure)


def test_refusals(table, tmp_path):
    refuses(2, "plot", table, "--metric", "log_z", says=["no metric log_z", "ess, nll"])
    refuses(2, "plot", table, "--what", "heatmap", "--across", "network.width", "--up", "training.steps",
            says=["no varied parameter training.steps", "network.width"])
    for text, words in (("a,b\n", "no rows"), ("a,ess\n1,x\n", "no column is a metric"), ("a,ess\n1,2,3\n", "more entries than the header")):
        table.write_text(text)
        with pytest.raises(InputError, match=words):
            read_sweep(table)
    with pytest.raises(InputError, match="neither a run nor a sweep"):
        read_sweep(tmp_path)

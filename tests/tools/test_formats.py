"""tools/FORMATS.md against files that the program has just written: nothing undocumented, nothing documented that is not there."""
import json
import re
import subprocess
import zlib

import h5py
import numpy as np
import pytest
from boltzcurve_tools import read_run
from support import EVERY_RUN, PROGRAM, RUNS, SOURCE

PLACEHOLDERS = {"NET": r"(psi|velocity|normalizer|schedule)", "K": r"\d+", "MOMENT": r"\w+", "METRIC": r"\w+", "COLUMN": r"\w+", "PART": r"\w+", "F": r"\d+"}
RARE = {f"/survey/coordinates/{part}" for part in ("center", "offset", "order", "slope", "linear", "square")}  # only for targets such as a funnel
RARE.add("/target/values")  # only for targets from shared libraries
TEXT = "text"


def documented():
    """(file, path, type, number of dimensions or None) of every row; an attribute's path holds an @. File: None for all HDF5 files."""
    page = (SOURCE / "tools/FORMATS.md").read_text()
    for heading, body in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL):
        file = heading if "." in heading else None
        for row in re.findall(r"^\| (`.*)\|$", body, re.MULTILINE):
            cells = [cell.strip() for cell in row.split(" | ")]
            names = re.findall(r"`([^`]+)`", cells[0])
            if len(cells) == 2:  # evaluation.json
                yield from ((file, name, None, None) for name in names)
                continue
            types = [cell.strip() for cell in cells[1].split(", ")]
            for k, name in enumerate(names):
                kind = types[k] if len(types) == len(names) else types[0]
                path = f"/@{name}" if file is None else name
                yield file, path, kind.split()[0], kind.count("[") if path != "/scalars" else None


ROWS = list(documented())


def pattern_of(path):
    parts = re.split(r"(\b(?:NET|MOMENT|METRIC|COLUMN|PART)\b|(?<=layer)K\b|(?<=factor)F\b)", path)
    return re.compile("".join(PLACEHOLDERS.get(part, re.escape(part)) for part in parts))


def kind_of(dtype):
    return TEXT if dtype.kind in "SO" else str(dtype)


def objects(path):
    """Every dataset and attribute of a file, hard links by each of their names: path, type, number of dimensions."""
    def walk(group, prefix):
        for name in group.attrs:
            kind = group.attrs.get_id(name)
            yield f"{prefix or '/'}{'/' if prefix else ''}@{name}", kind_of(kind.dtype), len(kind.shape)
        for name, item in group.items():
            if isinstance(item, h5py.Group):
                yield from walk(item, f"{prefix}/{name}")
            else:
                yield f"{prefix}/{name}", kind_of(item.dtype), item.ndim
                for attribute in item.attrs:
                    yield f"{prefix}/{name}@{attribute}", kind_of(item.attrs.get_id(attribute).dtype), None

    with h5py.File(path) as file:
        yield from walk(file, "")


def rows_of(file):
    return [row for row in ROWS if row[0] in (file, None)]


@pytest.mark.parametrize("file", ["checkpoint.h5", "metrics.h5", "samples.h5md"])
def test_objects_and_page_agree(file):
    found = [entry for name in EVERY_RUN for entry in objects(RUNS / name / file)]
    patterns = [(pattern_of(path), kind, dimensions) for _, path, kind, dimensions in rows_of(file) if path != "/scalars"]
    for path, kind, dimensions in found:
        if path.startswith("/scalars/@"):
            continue
        name, _, attribute = path.partition("@") if not path.startswith("/@") and "/@" not in path else (path, "", "")
        if attribute:  # of a dataset: told in the text
            assert attribute in {"checkpoint.h5": (), "metrics.h5": ("unit",), "samples.h5md": ("names",)}[file], path
            continue
        matches = [(of_kind, of_dimensions) for pattern, of_kind, of_dimensions in patterns if pattern.fullmatch(path)]
        assert matches, f"{file}: {path} is not in tools/FORMATS.md"
        assert any(of_kind == kind and of_dimensions in (dimensions, None) for of_kind, of_dimensions in matches), \
            f"{file}: {path} is {kind} of {dimensions} dimensions, tools/FORMATS.md says {matches}"
    paths = {path for path, _, _ in found}
    for _, path, _, _ in rows_of(file):
        if path in RARE or path == "/scalars":
            continue
        pattern = pattern_of(path)
        assert any(pattern.fullmatch(known) for known in paths), f"tools/FORMATS.md has {path}, which no {file} has"


def test_a_checkpoint_ends_with_its_checksum_and_every_column_has_its_unit():
    content = (RUNS / "plane/checkpoint.h5").read_bytes()
    assert content[-62:].decode() == f"boltzcurve: {len(content) - 62:020} bytes above, CRC-32 {zlib.crc32(content[:-62]):08x}\n"
    paths = [path for path, _, _ in objects(RUNS / "plane/metrics.h5")]
    datasets = [path for path in paths if "@" not in path]
    assert datasets and all(f"{path}@unit" in paths for path in datasets)


def test_keys_of_an_evaluation_and_page_agree():
    documented_keys = {path for file, path, _, _ in ROWS if file == "evaluation.json"}
    assert json.loads((RUNS / "plane/evaluation.json").read_text()).keys() == documented_keys


def test_columns_of_a_summary_and_page_agree_and_its_mean_is_that_of_the_samples():
    documented_columns = [path for file, path, _, _ in ROWS if file == "summary.csv"]
    run = read_run(RUNS / "four")
    assert (RUNS / "four/summary.csv").read_text().splitlines()[0].split(",") == documented_columns == list(run.summary)
    assert run.summary["parameter"] == ["x1", "x2", "x3", "x4"]
    samples = run.samples
    mean = samples.weight @ np.where(samples.weight[:, None] > 0, samples.position, 0)
    assert np.allclose(run.summary["mean"], mean, rtol=1e-9, atol=1e-12) and (run.summary["mcse"] > 0).all()


def test_ids_count_from_zero_and_times_are_shared():
    with h5py.File(RUNS / "four/samples.h5md") as file:
        assert np.array_equal(file["samples/id"][()], np.arange(400))
        for name in ("step", "time"):
            assert file[f"particles/trajectory/coordinates/{name}"] == file[f"particles/trajectory/position/{name}"] == file[f"observables/curve_time/{name}"]
        t = file["observables/curve_time/value"][()]
        assert np.array_equal(file["particles/trajectory/position/time"][()], np.abs(t - t[0])) and t[-1] == 0


def test_other_curves_write_nothing_undocumented(tmp_path):
    subprocess.run([PROGRAM, "train", "--target.name=gaussian-mixture", "--target.preset=two", "--curve.name=learned", "--network.width=8",
                    "--optimizer.name=adam", "--normalizer.kind=network", "--collocation.points=64", "--training.steps=3", "--quiet", "--output", str(tmp_path)], check=True)
    patterns = [pattern_of(path) for _, path, _, _ in rows_of("checkpoint.h5")]
    unknown = [path for path, _, _ in objects(tmp_path / "checkpoint.h5")
               if not path.startswith("/scalars") and not any(pattern.fullmatch(path) for pattern in patterns)]
    assert unknown == []

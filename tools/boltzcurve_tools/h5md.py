"""Checks a file against the text of H5MD 1.1 (nongnu.org/h5md), rule by rule."""
from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import h5py
import numpy as np

from .errors import InputError

VERSION = (1, 1)
VECTORS = ("position", "image", "velocity", "force")      # elements of particles with D components
INTEGERS = ("image", "species", "id")                     # whose values must be integers (image: also Float)
LARGEST_COUNTED = 10_000_000                              # ids that are looked through for repeats


@dataclasses.dataclass(frozen=True)
class Violation:
    where: str
    what: str


class Check:
    """One pass over a file; collects what is against the text, and counts the rules that were looked at."""

    def __init__(self, file: h5py.File) -> None:
        self.file = file
        self.violations: list[Violation] = []
        self.rules = 0

    def require(self, holds: bool, where: str, what: str) -> bool:
        self.rules += 1
        if not holds:
            self.violations.append(Violation(where, what))
        return holds

    def integer_pair(self, group: h5py.Group, where: str) -> None:
        present = self.require("version" in group.attrs, where, "has no attribute version")
        if present:
            value = np.asarray(group.attrs["version"])
            self.require(value.dtype.kind in "iu" and value.shape == (2,), where,
                         f"version must be two integers, found {value.dtype} of shape {value.shape}")

    def text(self, group: h5py.Group, name: str, where: str, needed: bool = True) -> None:
        if name not in group.attrs:
            self.require(not needed, where, f"has no attribute {name}")
            return
        kind = group.attrs.get_id(name)
        info = h5py.check_string_dtype(kind.dtype)
        stored_text = info is not None or kind.dtype.kind == "S"
        self.require(stored_text and kind.shape == (), where, f"{name} must be one text, found {kind.dtype} of shape {kind.shape}")
        if stored_text:
            self.require(kind.dtype.kind == "S" or info is None or info.length is not None, where, f"{name} must have a fixed length")

    def metadata(self) -> None:
        if not self.require(isinstance(self.file.get("h5md"), h5py.Group), "/", "has no group h5md, the only one that is mandatory"):
            return
        group = self.file["h5md"]
        self.integer_pair(group, "/h5md")
        for name, attributes in (("author", ("name",)), ("creator", ("name", "version"))):
            where = f"/h5md/{name}"
            if self.require(isinstance(group.get(name), h5py.Group), "/h5md", f"has no group {name}"):
                for attribute in attributes:
                    self.text(group[name], attribute, where)
        if isinstance(group.get("author"), h5py.Group):
            self.text(group["author"], "email", "/h5md/author", needed=False)
        for name, module in group.get("modules", {}).items():
            self.integer_pair(module, f"/h5md/modules/{name}")

    def series(self, group: h5py.Group, name: str, where: str, rows: int) -> None:
        """step or time of an element: one value per row, growing, or a single increment."""
        data = group[name]
        if not self.require(isinstance(data, h5py.Dataset), where, f"{name} must be a dataset"):
            return
        kinds = "iu" if name == "step" else "iuf"
        self.require(data.dtype.kind in kinds, f"{where}/{name}", f"must be {'Integer' if name == 'step' else 'Float or Integer'}, found {data.dtype}")
        if data.shape == ():
            if "offset" in data.attrs:
                offset = np.asarray(data.attrs["offset"])
                self.require(offset.shape == () and offset.dtype.kind in kinds, f"{where}/{name}", "offset must be one number of the same type")
            return
        if self.require(data.ndim == 1, f"{where}/{name}", f"must have one dimension or none, found {data.ndim}"):
            self.require(len(data) == rows, f"{where}/{name}", f"has {len(data)} entries, value has {rows} rows")
            values = data[()]
            self.require(bool((np.diff(values) > 0).all()), f"{where}/{name}", "does not grow from row to row")

    def element(self, item: Any, where: str) -> tuple[h5py.Dataset, int] | None:
        """The data of an element, and the number of its first dimensions that are time: 0 for a fixed one, 1 for one that depends on it."""
        if isinstance(item, h5py.Dataset):
            return item, 0
        if not self.require(isinstance(item.get("value"), h5py.Dataset), where, "an element is a dataset, or a group with a dataset value"):
            return None
        value = item["value"]
        if not self.require(value.ndim >= 1, f"{where}/value", "must have a first dimension for time"):
            return None
        if self.require("step" in item, where, "depends on time but has no step"):
            self.series(item, "step", where, value.shape[0])
        if "time" in item:
            self.series(item, "time", where, value.shape[0])
        return value, 1

    def box(self, group: h5py.Group, where: str) -> int | None:
        """D, where it can be told."""
        if not self.require(isinstance(group.get("box"), h5py.Group), where, "has no group box"):
            return None
        box, where = group["box"], f"{where}/box"
        if not self.require("dimension" in box.attrs, where, "has no attribute dimension"):
            return None
        stored = np.asarray(box.attrs["dimension"])
        if not self.require(stored.dtype.kind in "iu" and stored.shape == (), where, "dimension must be one integer"):
            return None
        dimension = int(stored)
        if self.require("boundary" in box.attrs, where, "has no attribute boundary"):
            kind = box.attrs.get_id("boundary")
            self.require(kind.shape == (dimension,), where, f"boundary must have {dimension} entries, found the shape {kind.shape}")
            self.require(kind.dtype.kind == "S", where, "boundary must be text of a fixed length")
            values = [value.decode() if isinstance(value, bytes) else str(value) for value in np.ravel(box.attrs["boundary"])]
            wrong = sorted(set(values) - {"periodic", "none"})
            self.require(not wrong, where, f"boundary is periodic or none, found {', '.join(wrong)}")
            self.require("edges" in box or set(values) <= {"none"}, where, "has no edges, which only a box without any boundary may leave out")
        if "edges" in box:
            found = self.element(box["edges"], f"{where}/edges")
            if found is not None:
                shape = found[0].shape[found[1]:]
                self.require(shape in ((dimension,), (dimension, dimension)), f"{where}/edges", f"must be D or D x D numbers, found {shape}")
                if found[1] and isinstance(group.get("position"), h5py.Group):
                    for name in ("step", "time"):
                        if name in box["edges"] and name in group["position"]:
                            self.require(box["edges"][name] == group["position"][name], f"{where}/edges", f"{name} must be a hard link to that of position")
        return dimension

    def particles(self, group: h5py.Group, where: str) -> None:
        dimension = self.box(group, where)
        counts: dict[str, int] = {}
        for name, item in group.items():
            if name == "box":
                continue
            place = f"{where}/{name}"
            standard = name in (*VECTORS, "mass", "species", "id", "charge")
            if not standard and not isinstance(item, h5py.Dataset) and "value" not in item:
                continue  # not an element: the text allows groups of one's own
            found = self.element(item, place)
            if found is None:
                continue
            data, first = found
            if not self.require(data.ndim > first, place, "has no dimension for the particles"):
                continue
            counts[name] = data.shape[first]
            if name in VECTORS and dimension is not None:
                self.require(data.shape[first + 1:] == (dimension,), place, f"must have {dimension} components, as box/dimension says, found {data.shape[first + 1:]}")
                self.require(data.dtype.kind in "fiu", place, f"must be Float or Integer, found {data.dtype}")
            if name in INTEGERS and name != "image":
                self.require(data.dtype.kind in "iu", place, f"must be Integer, found {data.dtype}")
            if name == "id" and not first and data.size <= LARGEST_COUNTED:
                self.require(len(np.unique(data[()])) == data.size, place, "holds an id twice")
        self.require(len(set(counts.values())) <= 1, where, f"elements have different numbers of particles: {counts}")
        if "image" in group:
            self.require("position" in group, where, "has image but no position")

    def whole(self) -> None:
        self.metadata()
        root = self.file.get("particles")
        if root is not None and self.require(isinstance(root, h5py.Group), "/particles", "must be a group"):
            for name, group in root.items():
                if self.require(isinstance(group, h5py.Group), f"/particles/{name}", "must be a group"):
                    self.particles(group, f"/particles/{name}")
        self.observables(self.file.get("observables"), "/observables")
        for name, item in self.file.get("connectivity", {}).items():
            found = self.element(item, f"/connectivity/{name}")
            if found is not None:
                self.require(found[0].dtype.kind in "iu", f"/connectivity/{name}", f"must be Integer, found {found[0].dtype}")
                self.require("particles_group" in item.attrs, f"/connectivity/{name}", "has no attribute particles_group")

    def observables(self, group: h5py.Group | None, where: str) -> None:
        for name, item in (group or {}).items():
            if isinstance(item, h5py.Group) and "value" not in item and "step" not in item:
                self.observables(item, f"{where}/{name}")  # a subgroup, as for observables of a subset of particles
            else:
                self.element(item, f"{where}/{name}")


def check_h5md(path: pathlib.Path) -> Check:
    """Everything that is against the text. Throws InputError where the file cannot be read as HDF5."""
    try:
        with h5py.File(path, "r") as file:
            check = Check(file)
            check.whole()
            return check
    except OSError as error:
        raise InputError(f"{path}: {error}") from error

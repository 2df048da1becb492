"""Recipes and citation say what CMake says: packaging.py ROOT

Version everywhere; in the Spack recipe every dependency of cmake/Dependencies.cmake with the same bounds, the same CMake and GCC, and only
options that CMakeLists.txt declares; in the Apptainer definition the same of options.
"""
import ast
import pathlib
import re
import sys

from tree import conclude

root = pathlib.Path(sys.argv[1])
lists, dependencies = (root / "CMakeLists.txt").read_text(), (root / "cmake/Dependencies.cmake").read_text()
recipe, image = (root / "tools/packaging/spack/package.py").read_text(), (root / "tools/packaging/apptainer/boltzcurve.def").read_text()
findings, looked_at = [], 0


def expect(true, finding):
    global looked_at
    looked_at += 1
    if not true:
        findings.append(finding)


version = re.search(r"project\(boltzcurve VERSION ([\d.]+)", lists)[1]
for path, pattern in (("CITATION.cff", r"^version: (.*)$"), ("tools/boltzcurve_tools/__init__.py", r'^__version__ = "(.*)"$'),
                      ("tools/packaging/spack/package.py", r'^    version\("(.*)"\)$'),
                      ("tools/packaging/spack/package.py", r"boltzcurve@([\d.]+\d)"),
                      ("tools/packaging/apptainer/boltzcurve.def", r"^    Version (.*)$")):
    found = re.findall(pattern, (root / path).read_text(), re.MULTILINE)
    expect(found and set(found) == {version}, f"{path}: version {', '.join(found) or 'not found'}, but CMakeLists.txt has {version}")

# What the recipe depends on whatever its variants are: name -> the rest of the spec.
calls = [node for node in ast.walk(ast.parse(recipe)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
always = [call.args[0].value for call in calls if call.func.id == "depends_on" and isinstance(call.args[0], ast.Constant)
          and not any(keyword.arg == "when" for keyword in call.keywords)]
specs = dict(re.fullmatch(r"([a-z0-9-]+)(.*)", spec).groups() for spec in always)

# A package of CMake: its name in Spack, and what the recipe must ask of it.
lowest = {name: bound for name, bound in re.findall(r"if\((\w+)_VERSION VERSION_LESS ([\d.]+)", dependencies)}
lowest |= {name: bound for name, bound in re.findall(r"find_package\((\w+) ([\d.]+)", dependencies)}
below = dict(re.findall(r"OR (\w+)_VERSION VERSION_GREATER_EQUAL (\d+)", dependencies))
in_spack = {"MPI": ("mpi", ""), "Kokkos": ("kokkos", f"@{lowest['Kokkos']}:{int(below['Kokkos']) - 1}"),
            "HDF5": ("hdf5", f"@{lowest['HDF5']}:+mpi"), "Boost": ("boost", f"@{lowest['Boost']}:+program_options"), "fmt": ("fmt", ""),
            "nlohmann_json": ("nlohmann-json", f"@{lowest['nlohmann_json']}"), "Random123": ("random123", ""),
            "Eigen3": ("eigen", f"@{lowest['Eigen3']}:{lowest['Eigen3'].split('.')[0]}")}
needed = re.findall(r"find_package\((\w+)", dependencies[:dependencies.index("if(BOLTZCURVE_TESTS)")])
for package in needed:
    name, rest = in_spack.get(package, (None, None))
    expect(name in specs and specs[name] == rest,
           f"the Spack recipe should have depends_on(\"{name}{rest}\") for {package}" if name else f"{package}: packaging.py knows no name of Spack's")
for name, rest in specs.items():
    expect(name in [in_spack[package][0] for package in needed if package in in_spack] + ["c", "cxx", "cmake", "ninja", "help2man", "python", "py-numpy", "py-h5py", "py-matplotlib"],
           f"the Spack recipe depends on {name}, which CMake does not look for")
cmake = re.search(r"cmake_minimum_required\(VERSION ([\d.]+)\)", lists)[1]
expect(specs.get("cmake") == f"@{cmake}:", f"the Spack recipe should depend on cmake@{cmake}:")
gcc = int(re.search(r"CMAKE_CXX_COMPILER_VERSION VERSION_LESS (\d+)", dependencies)[1])
expect(f'conflicts("%gcc@:{gcc - 1}"' in recipe, f"the Spack recipe should conflict with %gcc@:{gcc - 1}")

options = set(re.findall(r"^(?:option|set|cmake_dependent_option)\((BOLTZCURVE_\w+)", lists, re.MULTILINE))
for option in re.findall(r"BOLTZCURVE_[A-Z]+", recipe + image):
    expect(option in options, f"{option} is set by a recipe, but CMakeLists.txt has no such option")
conclude("facts of recipes and citation", looked_at, findings)

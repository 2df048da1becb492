"""The checks of the tree can fail: plants one fault at a time in a small tree of its own, and wants it found and named."""
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOUND = {
    "include/boltzcurve/error.hpp": "#pragma once\nusing Scalar = double;\n",
    "include/boltzcurve/energy.hpp": "#pragma once\n",
    "src/energy/energy.cpp": "#include <boltzcurve/energy.hpp>\n",
    "src/network/network.hpp": "",
    "src/io/checkpoint.hpp": "",
    "src/app/options/options.hpp": "",
    "src/curve/private.hpp": "",
    "src/io/file.cpp": "void f() {\n  check(H5Fclose(file), 1);\n  if (MPI_Finalize() != MPI_SUCCESS) return;\n  const auto id = H5Gopen2(a, b, c);\n"
                       "  must(MPI_Wait(r, s), \"MPI_Wait\");\n  MPI_Abort(world, 1);\n  return H5Dclose(id);\n}\n",
    "src/curve/linear.cpp": "#include \"curve/private.hpp\"\n#include <boltzcurve/error.hpp>\n// parallel_for(3) in a comment\n"
                            "void f() {\n  Kokkos::View<Kokkos::View<int*>**> x(\"boltzcurve::x\", 3, 4);\n"
                            "  Kokkos::parallel_for(\n    \"boltzcurve::f\",\n    3, g);\n  parallel_for(Kokkos::TeamThreadRange(t, 3), g);\n}\n"
                            "void each(const char* label, int n) { parallel_for(label, n, g); }\nvoid h() { each(\"boltzcurve::h\", 3); }\n",
    "README.md": "```sh\ntools/quickstart.sh\ntools/run_tests.sh  # tests\n```\n[the rest](CONTRIBUTING.md)\n",
    "CONTRIBUTING.md": "1. Say\n\n   ```sh\n   cmake --preset release\n   ```\n\n   ```cpp\n   int f();\n   ```\n",
    "jobs/README.md": "",
    "jobs/OPTIONS.md": "# Options\n\n## [target]\n\n| `name` |\n",
    "tools/README.md": "",
    "tools/FORMATS.md": "",
    "tests/perf/README.md": "| ranks |\n",
    "tests/perf/scaling_model.py": "print('| ranks |')\n",
    "CMakePresets.json": json.dumps({"configurePresets": [{"name": "release"}]}),
    "tools/quickstart.sh": "#!/bin/sh\n",
    "tools/run_tests.sh": "#!/bin/sh\n",
}
LABELS = "src/curve/linear.cpp"
FAULTS = (  # check, file, its text, what the check must say
    ("include_direction", "src/core/bad.hpp", "#include <boltzcurve/energy.hpp>\n", "core must not include energy"),
    ("include_direction", "src/energy/bad.hpp", '#include "network/network.hpp"\n', "energy must not include network"),
    ("include_direction", "src/sampling/bad.cpp", '#include "io/checkpoint.hpp"\n', "sampling must not include io"),
    ("include_direction", "src/studies/bad.cpp", '#include "app/options/options.hpp"\n', "studies must not include app"),
    ("include_direction", "src/util/bad.cpp", "", "'util' is not a module"),
    ("include_direction", "src/bad.cpp", "", "belongs to no module"),
    ("include_direction", "include/boltzcurve/bad.hpp", "", "belongs to no module"),
    ("include_direction", "include/boltzcurve/error.hpp", '#include "curve/private.hpp"\n', "a public header must not include a private one"),
    ("include_direction", "src/core/bad.cpp", '#include "../curve/linear.hpp"\n', "no such header"),
    ("include_direction", "src/core/bad.cpp", '#include "curve/absent.hpp"\n', "no such header"),
    ("include_direction", "src/core/bad.cpp", "#include <boltzcurve/core/error.hpp>\n", "no such header"),
    ("keys_outside_app", "src/core/bad.cpp", '\nauto x = "more training.steps may help";\n', "bad.cpp:2: names the key training.steps"),
    ("kernel_labels", LABELS, 'void f() { Kokkos::parallel_for(3, g); }\n', "linear.cpp:1: parallel_for"),
    ("kernel_labels", LABELS, '\nvoid f() { parallel_reduce("sum", 3, g, s); }\n', 'linear.cpp:2: parallel_reduce: expected a label "boltzcurve::..."'),
    ("kernel_labels", LABELS, 'Points<double> x("x", 3, 4);\n', "linear.cpp:1: Points"),
    ("kernel_labels", LABELS, 'auto x = View<double*>{"x", 3};\n', "linear.cpp:1: View"),
    ("kernel_labels", LABELS, 'auto x = View<double*>(Kokkos::view_alloc("x", Kokkos::WithoutInitializing), 3);\n', "view_alloc"),
    ("kernel_labels", LABELS, 'void each(const char* label, int n) { parallel_for(label, n, g); }\nvoid f() { each("f", 3); }\n', "linear.cpp:2: each"),
    ("kernel_labels", LABELS, "", "nothing found to look at"),
    ("file_length", "src/curve/long.cpp", "\n" * 601, "601 lines, at most 600"),
    ("return_codes", "src/io/bad.cpp", "void f() {\n  MPI_Barrier(world);\n}\n", "bad.cpp:2: the return code of MPI_Barrier is dropped"),
    ("return_codes", "src/io/bad.cpp", "void f() {\n  g();\n  if (open) H5Fclose(id);\n}\n", "bad.cpp:3: the return code of H5Fclose"),
    ("return_codes", "src/io/bad.cpp", "void f() { for (MPI_Test(a, b, c); !done;) g(); }\n", "the return code of MPI_Test"),
    ("return_codes", "src/io/bad.cpp", "void f() { (void)H5Sclose(id); }\n", "the return code of H5Sclose"),
    ("return_codes", "src/io/file.cpp", "", "nothing found to look at"),
    ("documented_commands", "CONTRIBUTING.md", "1. Do\n\n   ```sh\n   tools/none.sh\n   ```\n", "tools/none.sh is not there"),
    ("documented_commands", "CONTRIBUTING.md", "```sh\nboltzcurve run --config jobs/configs/none.ini\n```\n", "none.ini does not exist"),
    ("documented_commands", "CONTRIBUTING.md", "```sh\ncmake --preset fast\n```\n", "no preset fast"),
    ("documented_commands", "CONTRIBUTING.md", "[see](docs/none.md)\n", "link to docs/none.md"),
    ("documented_commands", "README.md", "```sh\ntools/quickstart.sh\n```\n", "the first block should be"),
    ("documented_commands", "tests/perf/README.md", "```sh\ntests/perf/none.py --quick\n```\n", "tests/perf/none.py is not there"),
    ("documented_commands", "tests/perf/README.md", "```sh\nmake --baseline tests/none.json\n```\n", "tests/none.json does not exist"),
    ("documented_model", "tests/perf/README.md", "| RANKS |\n", "lacks the row of scaling_model.py: | ranks |"),
    ("documented_model", "tests/perf/scaling_model.py", "print('nothing')\n", "nothing found to look at"),
    ("self_contained_headers", "include/boltzcurve/bad.hpp", "#pragma once\nstd::string name();\n", "bad.hpp does not compile on its own"),
    ("self_contained_headers", "include/boltzcurve/bad.hpp", "struct Twice {};\n", "bad.hpp does not compile on its own"),
    ("documented_code", "README.md", "```cpp\nint f() { return g(); }\n```\n", "README.md: C++ block 1 does not compile"),
    ("documented_options", "jobs/OPTIONS.md", "# Options\n\n## [target]\n\n| `nme` |\n", "-| `nme` |"),
    ("documented_options", "jobs/OPTIONS.md", "# Options\n", "is behind; run: tools/update_reference.sh"),
    ("accepted_configurations", "jobs/configs/bad.ini", "[target]\nnme = rings\n", "bad.ini: exit code 2: unknown key"),
)
# Stands in for the program: has one key, refuses a file with the key "nme".
PROGRAM = ("#!/bin/sh\nif [ \"$1\" = list ]; then printf '## [target]\\n\\n| `name` |\\n'; exit; fi\n"
           'if grep -q nme "$3"; then echo "unknown key" >&2; exit 2; fi\ncat "$3"\n')


def tree(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if path.suffix == ".sh":
            path.chmod(0o755)


def check(name, folder, compiler):
    arguments = [str(folder)]
    if name in ("self_contained_headers", "documented_code"):
        commands = folder / "compile_commands.json"
        command = f"{compiler} -std=c++20 -I{folder}/include -I{folder}/src -O2 -o v.o -c src/io/version.cpp"
        commands.write_text(json.dumps([{"file": "src/pilot/whitening.cpp", "command": command, "directory": str(folder)}]))
        arguments += [str(commands), str(folder / "scratch")]
    elif name in ("accepted_configurations", "documented_options"):
        program = folder / "program.sh"
        tree(folder, {"program.sh": PROGRAM, "jobs/configs/good.ini": "[target]\nname = rings\n"})
        arguments.append(str(program))
    result = subprocess.run([sys.executable, "-B", str(HERE / f"{name}.py"), *arguments], capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


compiler, failures = sys.argv[1], 0
for name in sorted({fault[0] for fault in FAULTS}):
    with tempfile.TemporaryDirectory() as folder:
        tree(pathlib.Path(folder), SOUND)
        code, output = check(name, pathlib.Path(folder), compiler)
        if code != 0:
            failures += 1
            print(f"{name} complains about a sound tree ({code}):\n{output}")
for name, file, text, expected in FAULTS:
    with tempfile.TemporaryDirectory() as folder:
        tree(pathlib.Path(folder), {**SOUND, file: text})
        code, output = check(name, pathlib.Path(folder), compiler)
        if code != 1 or expected not in output:
            failures += 1
            print(f"{name}, {file}: expected exit code 1 and '{expected}', found {code}:\n{output}")
print(f"{len(FAULTS)} planted faults, {failures} failure(s)")
sys.exit(1 if failures else 0)

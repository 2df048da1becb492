"""tools/install_dependencies.sh on feigned machines, whose apt-get, dpkg-query, sudo and id are scripts made here: install_dependencies.py SOURCE"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SCRIPT = pathlib.Path(sys.argv[1]) / "tools/install_dependencies.sh"
NOTHING_INSTALLED, ALL_INSTALLED = "#!/bin/bash\nexit 1\n", "#!/bin/bash\nprintf installed\n"
ONLY_FMT_MISSING = '#!/bin/bash\n[ "${@: -1}" = libfmt-dev ] && exit 1\nprintf installed\n'


def run(commands, environment=()):
    """Exit code, standard output and error, and the calls of apt-get, on a machine that has these commands and the bare minimum."""
    with tempfile.TemporaryDirectory() as folder:
        machine = pathlib.Path(folder)
        for tool in ("bash", "cat", "env"):
            (machine / tool).symlink_to(shutil.which(tool))
        for name, text in commands.items():
            (machine / name).write_text(text)
            (machine / name).chmod(0o755)
        result = subprocess.run(["bash", str(SCRIPT)], capture_output=True, text=True, env={"PATH": str(machine), **dict(environment)})
        calls = (machine / "calls").read_text().splitlines() if (machine / "calls").exists() else []
        return result.returncode, result.stdout, result.stderr, calls


def debian(dpkg_query, user, **more):
    record = '#!/bin/bash\necho "apt-get $*" >> "${0%/*}/calls"\n'
    return {"dpkg-query": dpkg_query, "apt-get": record, "id": f"#!/bin/bash\necho {user}\n", **more}


code, out, err, _ = run({})
assert code == 1 and "neither Debian nor Ubuntu" in err and "Kokkos 3.4 to 5.x" in err and "INSTALL=no" in err, (code, err)
code, out, err, _ = run({}, {"INSTALL": "no"}.items())
assert code == 0 and "nothing installed" in out, (code, out, err)
code, out, err, calls = run(debian(ALL_INSTALLED, user=1000))
assert code == 0 and "packages are there" in out and not calls, (code, out, err, calls)
code, out, err, calls = run(debian(NOTHING_INSTALLED, user=1000))
assert code == 1 and "run as root: apt-get install cmake ninja-build" in err and not calls, (code, err, calls)
code, out, err, calls = run(debian(ONLY_FMT_MISSING, user=0))
assert code == 0 and calls == ["apt-get update -q", "apt-get install -q -y --no-install-recommends libfmt-dev"], (code, err, calls)
code, out, err, calls = run(debian(ONLY_FMT_MISSING, user=1000, sudo='#!/bin/bash\necho sudo >> "${0%/*}/calls"\n"$@"\n'))
assert code == 0 and calls[0] == "sudo" and calls[1:3] == ["apt-get update -q", "sudo"] and calls[3].endswith(" libfmt-dev"), (code, err, calls)
code, out, err, calls = run(debian(NOTHING_INSTALLED, user=0, **{"apt-get": "#!/bin/bash\nexit 100\n"}))
assert code == 100, f"the failure of apt-get must come through, found {code}"
print("install_dependencies: 7 machines as expected")

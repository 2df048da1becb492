"""Makes the virtual environment with other people's readers of our files, from PyPI: readers.py FOLDER

Kept between runs; made again when the list of packages changes. Exit code 77, skipped, where PyPI cannot be reached.
"""
import pathlib
import shutil
import subprocess
import sys
import time

PACKAGES = ["MDAnalysis", "vtk", "xarray", "h5netcdf", "arviz", "cloudpickle", "pandas", "h5py", "matplotlib", "mypy", "pytest", "setuptools", "wheel"]
folder = pathlib.Path(sys.argv[1])
done, wanted = folder / "packages.txt", "\n".join(PACKAGES)
if done.is_file() and done.read_text() == wanted:
    print(f"{folder} is there")
    sys.exit(0)
began = time.monotonic()
shutil.rmtree(folder, ignore_errors=True)
# Not from a virtual environment or a pyenv: Debian's own Python, where there is one, is what users have.
base = next(python for python in ("/usr/bin/python3", sys.executable) if pathlib.Path(python).is_file())
made = subprocess.run([base, "-m", "venv", str(folder)], capture_output=True, text=True)
if made.returncode:
    print(f"skipped: {base} cannot make a virtual environment (Debian: python3-venv): {made.stdout.strip()[:300]}")
    sys.exit(77)
pip = [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "--timeout", "20", "--retries", "1", *PACKAGES]
installed = subprocess.run(pip, capture_output=True, text=True)
if installed.returncode:
    print(f"skipped: PyPI gave no {', '.join(PACKAGES)}; is it reached from here? {installed.stderr.strip().splitlines()[-1:]}")
    sys.exit(77)
done.write_text(wanted)
print(f"{folder} made in {time.monotonic() - began:.0f} s")

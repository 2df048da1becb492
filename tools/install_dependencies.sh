#!/usr/bin/env bash
# Installs from Debian or Ubuntu what boltzcurve needs to build, run, test and plot. Quick, and needs no rights, when all is there.
#   tools/install_dependencies.sh
# INSTALL=no: install nothing, here and in the scripts that call this one (the needs come from elsewhere, such as modules of a cluster).
set -euo pipefail

if [ "${INSTALL-}" = no ]; then
  echo "install_dependencies.sh: nothing installed (INSTALL=no)"
  exit 0
fi

packages=(
  cmake ninja-build g++ git help2man           # build, manual page
  openmpi-bin libopenmpi-dev                   # ranks
  libhdf5-openmpi-dev hdf5-tools zlib1g-dev    # files, one written by all ranks
  libtrilinos-kokkos-dev                       # kernels
  libboost-dev libboost-program-options-dev libeigen3-dev libfmt-dev nlohmann-json3-dev librandom123-dev
  libgtest-dev libgmock-dev libbenchmark-dev libopenblas-dev  # tests; benchmarks and the ceiling they compare with
  python3 python3-h5py python3-numpy python3-matplotlib       # post-processing
  python3-pytest python3-venv                  # its tests; other people's readers of our files come into a virtual environment
)

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  cat >&2 <<'NEEDS'
install_dependencies.sh: this is neither Debian nor Ubuntu (no apt-get), so please install these yourself, or load them as modules:
  CMake >= 3.22, a C++20 compiler (GCC >= 11), git, Ninja or make
  MPI (Open MPI or MPICH), HDF5 >= 1.10 built with that MPI, Kokkos 3.4 to 5.x
  Boost >= 1.71 with Program_options, Eigen >= 3.3, {fmt}, nlohmann_json 3, Random123
  for tests: GoogleTest with GoogleMock, Python 3; for benchmarks: google-benchmark, OpenBLAS
  for post-processing: Python 3 with h5py, numpy, matplotlib; for its tests: pytest
The configuration (cmake --preset release) says which of them it does not find, and how to point at another copy.
Once they are there, run the script you came from with INSTALL=no.
NEEDS
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "install_dependencies.sh: all ${#packages[@]} packages are there"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install_dependencies.sh: missing ${missing[*]}; run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "install_dependencies.sh: installing ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"

#!/usr/bin/env bash
# Builds the program and passes its tests at the newer end of what it supports: a root of Debian sid, made here, with Kokkos 5 and its OpenMP
# back end, and the GCC, Open MPI and HDF5 of the day.
#   tests/compat/debian_sid.sh [options of ctest, for example: -L unit]
#   TARGET=boltzcurve_executable tests/compat/debian_sid.sh -R same_bits     (the same bits on any number of ranks and threads, no more)
# TARGET: what to build (default: everything). ROOT: where the root lies (default: /var/tmp/boltzcurve-debian-sid; used again if it is there;
# 3 GB). JOBS: processes at once.
# Exit code: ctest's; 77 where root rights, debootstrap or the packages cannot be had.
set -euo pipefail
source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
root=${ROOT:-/var/tmp/boltzcurve-debian-sid}
jobs=${JOBS:-$(nproc)}

cannot() {
  echo "debian_sid.sh: $1; nothing was tested" >&2
  exit 77
}

# 1. A root of its own, from the mirror that this machine uses.
[ "$(id -u)" -eq 0 ] || cannot "needs root rights (debootstrap, chroot, mount)"
if ! command -v debootstrap >/dev/null; then
  apt-get install -q -y --no-install-recommends debootstrap >/dev/null || cannot "debootstrap is not there and cannot be installed"
fi
# shellcheck disable=SC2016  # a format of apt's, not the shell's
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
[ -n "$mirror" ] || cannot "apt knows no mirror"
if [ ! -e "$root/made" ]; then
  echo "debian_sid.sh: making $root"
  mkdir -p "$root"
  debootstrap --variant=minbase --include=ca-certificates sid "$root" "$mirror" >"$root.log" 2>&1 ||
    cannot "debootstrap failed, see $root.log"
  touch "$root/made"
fi

mounted=()
unmount() {
  local place
  for place in "${mounted[@]}"; do umount -l "$place"; done
}
trap unmount EXIT
bind() {
  mkdir -p "$root$2"
  if ! mountpoint -q "$root$2"; then
    mount --bind "$1" "$root$2" || cannot "cannot mount $1 in $root"
    mounted+=("$root$2")
  fi
}
bind /proc /proc
bind /sys /sys
bind /dev /dev
bind "$source_folder" /source
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true

# 2. Packages.
packages=(cmake ninja-build g++ git openmpi-bin libopenmpi-dev libhdf5-openmpi-dev hdf5-tools zlib1g-dev libkokkos-dev
  libboost-dev libboost-program-options-dev libeigen3-dev libfmt-dev nlohmann-json3-dev librandom123-dev libgtest-dev libgmock-dev
  python3 python3-h5py python3-numpy python3-matplotlib python3-pytest)
inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
{ inside apt-get update -q && inside apt-get install -q -y --no-install-recommends "${packages[@]}"; } >"$root.log" 2>&1 ||
  cannot "packages cannot be installed, see $root.log"
# Kokkos' CMake file names two static libraries that its package lacks.
for library in kokkosalgorithms kokkossimd; do
  archive=/usr/lib/$(inside gcc -print-multiarch)/lib$library.a
  [ -e "$root$archive" ] || inside ar rc "$archive"
done

# 3. Build and test. One thread under every rank, unless a test asks for more.
inside cmake -S /source -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBOLTZCURVE_WERROR=ON -DBOLTZCURVE_TESTS=ON \
  -DBOLTZCURVE_BENCHMARKS=OFF
inside cmake --build /build --parallel "$jobs" --target "${TARGET:-all}"
inside env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
  ctest --test-dir /build --parallel "$jobs" --output-on-failure "$@"

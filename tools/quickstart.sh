#!/usr/bin/env bash
# From a fresh machine to samples: installs what is missing, builds, learns a curve to a mixture of three Gaussians on two ranks, samples
# along it and draws the result.
#   tools/quickstart.sh
# BUILD: build folder (default build/release). OUTPUT: where the run goes (default runs/three_modes).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/mpi_environment.sh

build=${BUILD:-build/release}
output=${OUTPUT:-runs/three_modes}
config=jobs/configs/three_modes.ini

echo "== 1/4 dependencies"
tools/install_dependencies.sh
echo "== 2/4 build ($build)"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release
cmake --build "$build" --parallel "$(nproc)" --target boltzcurve_executable
echo "== 3/4 train, sample and evaluate on two ranks ($config)"
oversubscribe=()
[ "$(nproc)" -ge 2 ] || oversubscribe=(--oversubscribe)
mpirun "${oversubscribe[@]}" -n 2 "$build/boltzcurve" run --config "$config" --output "$output"
echo "== 4/4 picture"
tools/plot_run.py "$output"

cat <<DONE

Done. Files in $output:
$(find "$output" -maxdepth 1 -type f -printf '  %-24f %12s bytes\n' | sort)
A page with all pictures:  tools/boltzcurve-tools report $output
Again, with another seed:  mpirun -n 2 $build/boltzcurve run --config $config --seed 2 --output runs/another
Other targets:             $build/boltzcurve list targets    and the configurations in jobs/configs
DONE

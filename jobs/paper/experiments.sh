#!/bin/sh
# The paper's experiments: gradient flow on two and three modes, the linear curve from latent laws of scale 1, 3 and 8 on the same, the learned
# curve against both on the many-well in 8 dimensions; and all three on far modes and thin rings. Equal wall time, several seeds, one table.
#
#   jobs/paper/experiments.sh [--output DIR] [--program FILE] [--ranks N] [--seconds S] [--seeds "1 2 3"] [--particles N] [TARGET]...
#
# TARGET is a name under jobs/configs/paper, by default all. Every setting first trains for a moment, which tells how many steps fit into
# S seconds of training: the learning rate falls over just so many. What has an evaluation.json already is not repeated; a setting that fails
# is recorded and does not stop the rest. Writes DIR/TARGET/CURVE_scaleS/seedK, DIR/velocity, DIR/experiments.md, .csv and .png.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tools/mpi_environment.sh"
output=runs/experiments program='' ranks=2 seconds=120 seeds="1 2 3" particles=20000 targets=
while [ $# -gt 0 ]; do
  case $1 in
    --output) output=$2; shift 2 ;;
    --program) program=$2; shift 2 ;;
    --ranks) ranks=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --seeds) seeds=$2; shift 2 ;;
    --particles) particles=$2; shift 2 ;;
    --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit ;;
    --*) echo "experiments.sh: unknown option $1; see the head of this file" >&2; exit 2 ;;
    *) targets="$targets $1"; shift ;;
  esac
done
[ -n "$targets" ] || targets="two_modes three_modes many_well_8 asymmetric_two rings four_gaussians"
[ -n "$program" ] || program=$(find_program "$root")
[ -x "$program" ] || { echo "experiments.sh: no program at $program; build it (tools/quickstart.sh) or give --program" >&2; exit 3; }

# Curve and scale of the latent law: of the learned curve, a law about as wide as the target.
settings_of() {
  case $1 in
    two_modes | three_modes) echo "gradient-flow:1 linear:1 linear:3 linear:8 learned:3" ;;
    many_well_8) echo "gradient-flow:1 linear:2 learned:2" ;;
    asymmetric_two) echo "gradient-flow:1 linear:1 linear:3 linear:8 learned:5" ;;
    rings) echo "gradient-flow:1 linear:3 learned:3" ;;
    four_gaussians) echo "gradient-flow:1 linear:8 learned:8" ;;
    *) echo "gradient-flow:1 linear:1 learned:1" ;;
  esac
}

folders=
for target in $targets; do
  config=$root/jobs/configs/paper/$target.ini
  [ -f "$config" ] || { echo "experiments.sh: there is no configuration $config" >&2; exit 3; }
  for setting in $(settings_of "$target"); do
    curve=${setting%:*} scale=${setting#*:}
    place=$output/$target/${curve}_scale$scale
    steps=
    for seed in $seeds; do
      folder=$place/seed$seed
      if [ ! -f "$folder/evaluation.json" ] && [ ! -f "$folder/failed.txt" ]; then
        echo "== $target, $curve from a latent law of scale $scale, seed $seed"
        mkdir -p "$folder"
        options="--config $config --curve.name=$curve --latent.scale=$scale"
        if [ -z "$steps" ]; then
          mkdir -p "$place/pace"
          # shellcheck disable=SC2086  # words on purpose
          mpirun -n "$ranks" "$program" train $options --training.steps=1000000000 --training.log-every=10 \
            --training.max-seconds="$(awk "BEGIN { print ($seconds > 80 ? 8 : $seconds / 10) }")" --output "$place/pace" > "$place/pace/log.txt" 2>&1 || true
          steps=$("$root/tools/experiments.py" --steps-in "$seconds" "$place/pace") || steps=1000
        fi
        # shellcheck disable=SC2086
        mpirun -n "$ranks" "$program" run $options --seed "$seed" --training.steps="$steps" --training.max-seconds="$seconds" \
          --sampling.particles="$particles" --evaluation.exact-samples="$particles" --output "$folder" > "$folder/log.txt" 2>&1 ||
          { tail -n 3 "$folder/log.txt" > "$folder/failed.txt"; echo "experiments.sh: this one failed; its last words:" >&2; cat "$folder/failed.txt" >&2; }
      fi
      [ ! -f "$folder/evaluation.json" ] || folders=${folders:+$folders,}$folder
    done
  done
done
[ -n "$folders" ] || { echo "experiments.sh: nothing came to its end" >&2; exit 4; }
# How fast the networks' velocities are at most: what explodes shows here.
mpirun -n "$ranks" "$program" study velocity-explosion --study.distances=10 --study.runs="$folders" --output "$output/velocity" --quiet
"$root/tools/experiments.py" "$output"

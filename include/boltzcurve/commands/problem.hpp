#pragma once

#include <boltzcurve/collocation/collocation.hpp>
#include <boltzcurve/curve/residual.hpp>
#include <boltzcurve/energy/energy.hpp>
#include <boltzcurve/run/options.hpp>
#include <boltzcurve/training/batch_loss.hpp>
#include <boltzcurve/training/optimizer.hpp>

#include <memory>

namespace boltzcurve {

/// What the options describe: the two ends, the curve between them, its networks, where its residual is asked for and how it is made small.
struct Problem {
  std::unique_ptr<Energy> target, latent;
  GradientFlow curve;
  CurveNetworks networks;
  CollocationLaw law;
  std::unique_ptr<Optimizer> optimizer;
  Precision precision = Precision::single_precision;

  int dimension() const { return curve.dimension; }
};

/// Throws ConfigError where parts do not fit together.
Problem make_problem(const Options& options);

}  // namespace boltzcurve

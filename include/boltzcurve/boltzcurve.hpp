#pragma once

// All of the library: build_model(), Trainer, Sampler, evaluate() and what they take.

#include <boltzcurve/choice.hpp>
#include <boltzcurve/choice_list.hpp>
#include <boltzcurve/collocation_settings.hpp>
#include <boltzcurve/communicator.hpp>
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/curve_settings.hpp>
#include <boltzcurve/dual.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/energy_of.hpp>
#include <boltzcurve/error.hpp>
#include <boltzcurve/evaluation_settings.hpp>
#include <boltzcurve/files.hpp>
#include <boltzcurve/loss_shape.hpp>
#include <boltzcurve/metrics.hpp>
#include <boltzcurve/model.hpp>
#include <boltzcurve/network_settings.hpp>
#include <boltzcurve/parameters.hpp>
#include <boltzcurve/particles.hpp>
#include <boltzcurve/precision.hpp>
#include <boltzcurve/reduction.hpp>
#include <boltzcurve/registry.hpp>
#include <boltzcurve/rescaled.hpp>
#include <boltzcurve/sampling.hpp>
#include <boltzcurve/sampling_settings.hpp>
#include <boltzcurve/scale_map.hpp>
#include <boltzcurve/session.hpp>
#include <boltzcurve/setting.hpp>
#include <boltzcurve/shard.hpp>
#include <boltzcurve/stop.hpp>
#include <boltzcurve/training.hpp>
#include <boltzcurve/training_settings.hpp>
#include <boltzcurve/version.hpp>
#include <boltzcurve/views.hpp>

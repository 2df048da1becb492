#pragma once

#include "core/to_device.hpp"

#include <boltzcurve/error.hpp>
#include <boltzcurve/views.hpp>
#include "network/network_models.hpp"
#include "network/networks.hpp"
#include "residual/curve_concept.hpp"
#include "simd/pack_math.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// What the fused kernels of a curve share: its networks, packed for the device, the order of what is summed, teams and their scratch.
namespace boltzcurve::detail {

inline constexpr std::int64_t alignment_bytes = 64;

/// Threads of a team that go through a tile together: on the host the one whose caches it lies in, on a GPU as many warps as there are
/// chunks of neurons, up to a number that leaves each thread the registers for its block of sums.
inline constexpr int max_warps = 8, min_teams = 2;  // of a multiprocessor: 128 registers a thread
inline int team_size_for(int padded_width) { return threads_abreast == 1 ? 1 : std::min(max_warps, padded_width / chunk_neurons); }

template <class Real>
constexpr std::int64_t aligned(std::int64_t count) {
  constexpr std::int64_t numbers = alignment_bytes / static_cast<std::int64_t>(sizeof(Real));
  return (count + numbers - 1) / numbers * numbers;
}

/// Vectors of points in a tile. Two make every weight that is loaded serve twice as many points, which counts where a layer's weights
/// [W][W] are more than what a tile of one vector carries through it [W][channels][lanes]; else the smaller tile fits the caches better.
template <class Real>
int packs_for(const NetworkShape& network, int channels) {
  if (threads_abreast > 1) return 1;
  return network.width >= channels * pack_lanes<Real> ? 2 : 1;
}

/// The networks of a curve, those it names and then the normalizer, a function of the clock alone.
template <class Curve>
struct Slots {
  static constexpr int normalizer = Curve::network_count, count = Curve::network_count + 1;

  static std::string_view name(int slot) { return slot == normalizer ? "normalizer" : Curve::network_names[slot]; }
  static Channels channels(const Curve& curve, int slot) { return slot == normalizer ? Channels{} : curve.channels(slot); }
  static bool needed_for_velocity(int slot) { return slot != normalizer && Curve::needed_for_velocity(slot); }
};

/// A network in its slot, packed as its model's tiles want it. Absent ones have no weights.
template <class Real>
struct PackedNetwork {
  bool present = false;
  NetworkShape shape;
  Kokkos::View<Real*> weights;

  /// body(layout), host.
  template <class Body>
  auto with_layout(const Body& body) const {
    return with_network(shape.kind, [&](auto model) { return body(typename decltype(model)::Layout(shape)); });
  }
  std::int64_t gradient_size() const {
    return with_layout([](const auto& layout) { return layout.gradient_size(); });
  }
};

/// A team's own memory, aligned: room for `bytes`, alignment_bytes among them.
template <class Real>
KOKKOS_INLINE_FUNCTION Real* team_scratch(const TeamMember& member, std::int64_t bytes) {
  using Scratch = Kokkos::View<char*, Kokkos::DefaultExecutionSpace::scratch_memory_space, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  const Scratch scratch(member.team_scratch(1), static_cast<std::size_t>(bytes));
  const auto address = (reinterpret_cast<std::uintptr_t>(scratch.data()) + alignment_bytes - 1) / alignment_bytes * alignment_bytes;
  return reinterpret_cast<Real*>(address);
}

/// What networks see of a tile of points: inputs [D+1][points] <- coordinates and clock, shifted and scaled. Places beyond the last point
/// repeat it. Then body(lane, time, reading) for every pack. Barriers are the caller's.
template <int Packs, class Curve, class Real, class Body>
KOKKOS_INLINE_FUNCTION void gather_inputs(const TeamMember& member, const Curve& curve, Kokkos::View<const Real*> shift,
                                          Kokkos::View<const Real*> scale, PointScalars<const Real> t, Points<const Real> x,
                                          std::int64_t first, std::int64_t end, Real* inputs, const Body& body) {
  using P = Pack<Real>;
  constexpr int points = Packs * lanes_abreast<Real>;
  const int D = curve.dimension;
  const auto index = [=](int p) { return first + p < end ? first + p : end - 1; };
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, Packs), [&](const int pack) {
    const int lane = pack * lanes_abreast<Real> + own_lane();
    P time = 0;
    for (int l = 0; l < P::lanes; ++l) time.set(l, t(index(lane + l)));
    const auto reading = curve.clock_at(time);
    ((reading.clock - P(shift(D))) * P(scale(D))).store(inputs + D * points + lane);
    body(lane, time, reading);
  });
  Kokkos::parallel_for(Kokkos::TeamThreadRange(member, D), [&](const int k) {
    for (int p = own_lane(); p < points; p += threads_abreast) inputs[k * points + p] = (x(index(p), k) - shift(k)) * scale(k);
  });
}

/// The loss 2 w^2 (sqrt(1 + q/w^2) - 1) of a square q, which is q up to about w^2, without the difference of nearly equal numbers; its
/// derivative by q is 1/root.
template <class P>
struct PseudoHuber {
  P root, cost;
  KOKKOS_FORCEINLINE_FUNCTION PseudoHuber(P q, double width)
      : root(sqrt(P(1) + q * P(1 / (width * width)))), cost(P(2) * q / (P(1) + root)) {}
};

inline int chunks_of(std::int64_t n, std::int64_t chunk) { return static_cast<int>((n + chunk - 1) / chunk); }

template <class Functor>
void launch_teams(const char* label, int teams, const Functor& functor) {
  if (teams == 0) return;
  using Policy = std::conditional_t<threads_abreast == 1, Kokkos::TeamPolicy<>,
                                    Kokkos::TeamPolicy<Kokkos::LaunchBounds<max_warps * threads_abreast, min_teams>>>;
  Policy policy(teams, functor.tiles.plan.team_size, threads_abreast);
  policy.set_scratch_size(1, Kokkos::PerTeam(static_cast<int>(functor.tiles.scratch_bytes())));
  Kokkos::parallel_for(label, policy, functor);
}

/// A kernel's side of its curve's networks: theirs are its parameters and the gradients that it sums, in the order of slots, before the
/// loss. Interface: a CurveKernel with what more this one does.
template <class Curve, class Real, class Interface>
class CurveKernelOf : public Interface {
 public:
  /// channels_of(slot): what travels through the network in a slot.
  template <class ChannelsOf>
  CurveKernelOf(const Curve& curve, const CurveNetworks& networks, const ChannelsOf& channels_of)
      : curve_(curve),
        input_shift_(to_device<Real>("boltzcurve::input_shift", networks.input_shift)),
        input_scale_(to_device<Real>("boltzcurve::input_scale", networks.input_scale)),
        networks_(networks),
        parameters_("boltzcurve::parameters", static_cast<std::size_t>(networks.parameter_count())) {
    // As the widest network wants it.
    int width = 0;
    for (const auto& [name, shape] : networks.list) {
      if (shape.width > width) packs_ = packs_for<Real>(shape, channels_of(slot_of(name)).count());
      width = std::max(width, shape.width);
    }
    for (const auto& [name, shape] : networks.list) {
      auto& network = packed_[slot_of(name)];
      network.present = true;
      network.shape = shape;
      const auto count = network.with_layout([](const auto& layout) { return layout.weights_size(); });
      network.weights = Kokkos::View<Real*>("boltzcurve::packed_weights", static_cast<std::size_t>(count));
    }
  }

  void set_parameters(std::span<const double> parameters) override {
    Kokkos::deep_copy(parameters_, Kokkos::View<const double*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                                       parameters.data(), parameters.size()));
    std::size_t begin = 0;
    for (const auto& [name, shape] : networks_.list) {
      const std::size_t end = begin + static_cast<std::size_t>(parameter_count(shape));
      auto& network = packed_[slot_of(name)];
      const Kokkos::View<const double*> part = Kokkos::subview(parameters_, std::make_pair(begin, end));
      with_network(shape.kind, [&](auto model) { model.pack(network.shape, part, network.weights); });
      begin = end;
    }
  }

  std::vector<std::int64_t> sum_borders() const override {
    std::vector<std::int64_t> borders;
    std::int64_t offset = 0;
    for (const auto& network : packed_) {
      if (!network.present) continue;
      const int tensors = static_cast<int>(parameter_tensors(network.shape).size());
      network.with_layout([&](const auto& layout) {
        for (int tensor = 0; tensor < tensors; ++tensor) borders.push_back(offset + layout.gradient_index(tensor, 0, 0));
      });
      offset += network.gradient_size();
    }
    borders.push_back(offset);
    borders.push_back(offset + 1);
    return borders;
  }

  double unpack(const std::vector<double>& sums, std::vector<double>& gradient) const override {
    gradient.resize(static_cast<std::size_t>(networks_.parameter_count()));
    std::int64_t offsets[Slots<Curve>::count], end = 0;  // in the order of slots
    for (int slot = 0; slot < Slots<Curve>::count; ++slot) {
      offsets[slot] = end;
      if (packed_[slot].present) end += packed_[slot].gradient_size();
    }
    auto out = gradient.begin();
    for (const auto& [name, shape] : networks_.list) {
      const int slot = slot_of(name);
      const auto tensors = parameter_tensors(shape);
      packed_[slot].with_layout([&](const auto& layout) {
        for (std::size_t k = 0; k < tensors.size(); ++k)
          for (int row = 0; row < tensors[k].rows; ++row)
            for (int column = 0; column < tensors[k].columns; ++column)
              *out++ = sums[static_cast<std::size_t>(offsets[slot] + layout.gradient_index(static_cast<int>(k), row, column))];
      });
    }
    return sums[static_cast<std::size_t>(end)];
  }

  const CurveNetworks& networks() const override { return networks_; }

 protected:
  static int slot_of(std::string_view name) {
    for (int slot = 0; slot < Slots<Curve>::count; ++slot)
      if (Slots<Curve>::name(slot) == name) return slot;
    throw Error(ExitCode::internal_error, "the curve has no use for a network called " + std::string(name));
  }

  template <class Body>
  auto with_packs(const Body& body) const {
    if constexpr (threads_abreast > 1)
      return body(std::integral_constant<int, 1>());
    else
      return packs_ == 2 ? body(std::integral_constant<int, 2>()) : body(std::integral_constant<int, 1>());
  }

  Curve curve_;
  PackedNetwork<Real> packed_[Slots<Curve>::count];
  Kokkos::View<Real*> input_shift_, input_scale_;

 private:
  CurveNetworks networks_;
  Kokkos::View<double*> parameters_;
  int packs_ = 1;  // vectors of points in a tile: 1 or 2
};

}  // namespace boltzcurve::detail

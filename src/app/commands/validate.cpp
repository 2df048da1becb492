#include <boltzcurve/error.hpp>
#include "app/commands/stages.hpp"
#include "app/process/memory.hpp"
#include "training/batch_loss.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace boltzcurve {
void validate(Run& run) {
  const auto& options = run.options();
  Model model = build_model(run.world(), model_settings(options));
  Trainer trainer(run.world(), model, trainer_settings(options));
  const auto& state = trainer.state();
  auto* const loss = &trainer.loss();

  loss->evaluate(state.parameters, 0);  // the first round finds the quanta and fills caches
  const double started = steady_seconds();
  const auto result = loss->evaluate(state.parameters, 1);
  const double step_seconds = run.world().max(steady_seconds() - started);
  if (!result.finite) {
    const auto worst = loss->worst_point(state.parameters, 1);
    throw NumericalError(fmt::format(
        "the first step's loss is not finite; worst point: t = {:.6g}, x = ({:.6g}), residual {}: choose a collocation.box in which "
        "the target's energy is finite",
        worst.t, fmt::join(worst.x, ", "), worst.residual));
  }

  auto settings = options.sampling;
  settings.frames = 0;
  settings.legs = 1;
  const auto few = std::min<std::int64_t>(settings.particles, std::int64_t{particle_granule} * run.world().size());
  const auto particles = Sampler(run.world(), flow_of(model, state.average), settings, options.run.seed).draw(few);
  std::int64_t evaluations = 0;
  for (const auto count : particles.evaluations) evaluations += count;
  evaluations = run.world().sum(evaluations);

  double optimizer_bytes = 0, points_bytes = 0;
  for (const auto& array : loss->state().collocation) points_bytes += 8 * static_cast<double>(array.values.size());
  for (const auto& array : state.optimizer.arrays) optimizer_bytes += 8 * static_cast<double>(array.values.size());
  const double parameters = static_cast<double>(model.networks().parameter_count());
  const double N = static_cast<double>(options.sampling.particles), D = model.dimension();
  const double frame = N * (D == 3 ? 3 : 3 + D) * 8, samples = N * (D + 4.5) * 8;
  std::string text = "valid: nothing was written\n";
  const auto line = [&](const std::string& what, const std::string& value) { text += fmt::format("  {:<34} {}\n", what, value); };
  line("target, dimension", fmt::format("{}, {}", options.target.name, model.dimension()));
  line("parameters", fmt::format("{}", model.networks().parameter_count()));
  line("ranks", fmt::format("{}", run.world().size()));
  line("first loss", fmt::format("{:.6g}", result.loss));
  if (const auto left_out = loss->take_left_out(); left_out.points > 0)
    line("left out of two steps",
         fmt::format("{} of {} points: the target's energy is not finite there", left_out.points, 2 * options.collocation.points));
  line("a training step", fmt::format("{:.3g} ms", 1e3 * step_seconds));
  line("training, estimated", duration_text(step_seconds * static_cast<double>(options.training.steps)));
  line("evaluations a particle (untrained)", fmt::format("{:.0f}", static_cast<double>(evaluations) / static_cast<double>(few)));
  line("memory a rank: points and scratch", size_text(static_cast<double>(loss->memory_bytes())));
  line("memory a rank: parameters", size_text(parameters * 6 * 8 + optimizer_bytes));
  line("memory a rank: particles", size_text((samples + frame * options.sampling.frames) / run.world().size()));
  line("checkpoint.h5", size_text(parameters * 2 * 8 + optimizer_bytes + points_bytes + 32768));
  line("samples.h5md", size_text(samples + frame * options.sampling.frames + 32768));
  line("samples.unfinished, while it samples",
       size_text(N * static_cast<double>(particle_bytes(model.dimension(), static_cast<std::size_t>(options.sampling.frames)))));
  text.pop_back();
  run.say(text);
}

}  // namespace boltzcurve

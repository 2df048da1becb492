#include <boltzcurve/commands/commands.hpp>
#include <boltzcurve/io/checkpoint.hpp>

namespace boltzcurve {

const std::vector<Command>& commands() {
  using From = Command::OptionsFrom;
  static const std::vector<Command> table = {
      {{"run", "", "train, then sample, then evaluate"}, From::defaults, run},
      {{"train", "", "learn the curve: checkpoint.h5, metrics.h5, config.ini"}, From::defaults, train},
      {{"sample", "", "draw particles from checkpoint.h5: samples.h5md"}, From::checkpoint, sample},
      {{"evaluate", "", "measure samples.h5md, or fresh particles: evaluation.json, a row in metrics.h5"}, From::checkpoint, evaluate},
      {{"list", "[TOPIC]", "show what can be chosen (targets, latents, curves, ...); reference: all keys, in Markdown"},
       From::nothing,
       list},
  };
  return table;
}

Options options_for(const Command& command, const Request& request, const Communicator& world) {
  auto sources = request.sources;
  if (command.options_from == Command::OptionsFrom::checkpoint) {
    const auto file = request.output / "checkpoint.h5";
    sources.insert(sources.begin(), parse_config(read_checkpoint(world, file).provenance.options, file.string(), request.output));
  }
  return resolve_options(sources);
}

}  // namespace boltzcurve

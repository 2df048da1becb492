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

namespace {

/// What was learned belongs to these: with others the parameters would mean something else.
void require_same_model(const Options& trained, const Options& wanted, const std::string& checkpoint) {
  const auto require = [&](bool same, const std::string& what) {
    if (!same) throw ConfigError(what + " differs from what " + checkpoint + " was trained with; leave it out, or train again with it");
  };
  require(trained.target == wanted.target, "[target]");
  require(trained.latent == wanted.latent, "[latent]");
  require(trained.curve == wanted.curve, "[curve]");
  require(trained.network == wanted.network, "[network]");
  require(trained.normalizer == wanted.normalizer, "[normalizer]");
}

}  // namespace

Options options_for(const Command& command, const Request& request, const Communicator& world) {
  auto sources = request.sources;
  if (command.options_from == Command::OptionsFrom::checkpoint) {
    const auto file = request.output / "checkpoint.h5";
    const auto trained = parse_config(read_checkpoint(world, file).provenance.options, file.string(), request.output);
    sources.insert(sources.begin(), trained);
    const Options options = resolve_options(sources);
    require_same_model(resolve_options(std::span(&trained, 1)), options, file.string());
    return options;
  }
  return resolve_options(sources);
}

}  // namespace boltzcurve

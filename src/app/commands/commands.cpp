#include "app/commands/commands.hpp"
#include "app/options/option_changes.hpp"
#include "app/process/exit.hpp"
#include "app/terminal/print.hpp"
#include "io/checkpoint_series.hpp"

#include <span>

#include <fmt/format.h>

namespace boltzcurve {

const std::vector<Command>& commands() {
  using From = Command::OptionsFrom;
  static const std::vector<Command> table = {
      {{"run", "", "train, then sample, then evaluate"}, From::resumable, run},
      {{"train", "", "learn the curve: checkpoint.h5, metrics.h5, config.ini"}, From::resumable, train},
      {{"sample", "", "draw particles from checkpoint.h5: samples.h5md"}, From::checkpoint, sample},
      {{"evaluate", "", "measure samples.h5md, or fresh particles: evaluation.json, a row in metrics.h5"}, From::checkpoint, evaluate},
      {{"study", "NAME", "compare what the method can do (list studies): CSV, HDF5"}, From::given, study},
      {{"sweep", "ACTION [FILE]", "many runs: plan FILE, run, status, collect; in the folder --output"}, From::nothing, sweep},
      {{"list", "[TOPIC]", "show what can be chosen (targets, latents, curves, ...); reference, completion: for the documentation"},
       From::nothing,
       list},
      {{"verify", "", "check this machine in seconds: closed forms, same bits on all ranks and resumed; exit code 4 where not"},
       From::nothing,
       verify},
  };
  return table;
}

namespace {

/// What was learned belongs to these: with others the parameters would mean something else.
void require_same_model(const Options& trained, const Options& wanted, const std::string& checkpoint) {
  const auto require = [&](bool same, const std::string& what) {
    if (!same) throw ConfigError(what + " differs from what " + checkpoint + " was trained with; leave it out, or train again with it");
  };
  require(trained.target.name == wanted.target.name && values_without_code(trained.target) == values_without_code(wanted.target),
          "[target]");
  require(trained.latent == wanted.latent, "[latent]");
  require(trained.curve == wanted.curve, "[curve]");
  require(trained.network == wanted.network, "[network]");
  require(trained.normalizer == wanted.normalizer, "[normalizer]");
}

/// Options that the checkpoint was made with, and then those of the request.
struct Trained {
  Options before, now;
};

Trained options_since(const Checkpoint& checkpoint, const Request& request) {
  const auto trained = parse_config(checkpoint.provenance.options, checkpoint.source.string(), request.output);
  auto sources = request.sources;
  sources.insert(sources.begin(), trained);
  Trained options{resolve_options(std::span(&trained, 1)), resolve_options(sources)};
  require_code_named(options.now, request.sources, checkpoint.source.string());
  return options;
}

/// What a training has left. Another than its last is not drawn from unasked: its particles would look like those of the last.
Checkpoint trained_checkpoint(const Request& request, const Communicator& world) {
  const auto path = request.output / checkpoint_name;
  try {
    return read_checkpoint(world, path);
  } catch (const NotDamaged&) {
    throw;
  } catch (const Error& error) {
    if (error.code() != ExitCode::input) throw;
    const auto newest = newest_checkpoint(world, path);
    if (!newest.checkpoint) throw;
    throw InputError(fmt::format("{}; `boltzcurve train --resume --output {}` makes it again from {}", error.what(),
                                 request.output.string(), newest.checkpoint->source.filename().string()));
  }
}

Beginning for_a_checkpoint(const Request& request, const Communicator& world) {
  auto checkpoint = trained_checkpoint(request, world);
  auto options = options_since(checkpoint, request);
  require_same_model(options.before, options.now, checkpoint.source.string());
  return {std::move(options.now), std::move(checkpoint)};
}

/// The checkpoint to resume from, if there is one.
std::optional<Checkpoint> checkpoint_to_resume(const Request& request, const Communicator& world) {
  const auto& from = request.resume->from;
  std::string is_file;
  on_root(world, [&] {
    std::error_code missing;
    if (!from.empty() && !std::filesystem::is_directory(from, missing)) is_file = "yes";
  });
  world.broadcast(is_file);
  if (!is_file.empty()) return read_checkpoint(world, from);  // this one was asked for: no other will do

  const auto path = (from.empty() ? request.output : from) / checkpoint_name;
  auto newest = newest_checkpoint(world, path);
  for (const auto& damage : newest.damages) warn(world, damage);
  if (newest.checkpoint) {
    if (newest.checkpoint->source != path)
      warn(world, fmt::format("{}falling back to {}", newest.damages.empty() ? path.string() + " is not there, " : "",
                              newest.checkpoint->source.string()));
    return std::move(newest.checkpoint);
  }
  if (!request.resume->automatic)
    throw InputError(fmt::format("there is no {}checkpoint to resume from at {}; --resume=auto begins where there is none",
                                 newest.damages.empty() ? "" : "valid ", path.string()));
  return std::nullopt;
}

Beginning resumed(const Request& request, const Communicator& world) {
  auto checkpoint = checkpoint_to_resume(request, world);
  const bool say = world.is_root() && !request.quiet && request.question == Request::Question::none;
  if (!checkpoint) {
    if (say) print("no checkpoint to resume from: beginning at step 0\n");
    return {resolve_options(request.sources), std::nullopt};
  }
  auto options = options_since(*checkpoint, request);
  std::string text = fmt::format("resuming from {} at step {}\n", checkpoint->source.string(), checkpoint->scalar<std::int64_t>("step"));
  std::string others;
  for (const auto& change : option_changes(options.before, options.now)) {
    text += "  changed: " + change.text() + "\n";
    if (change.of_training) others += (others.empty() ? "" : ", ") + change.text();
  }
  if (!others.empty() && !request.accept_changes)
    throw ConfigError(fmt::format(
        "cannot resume from {}, whose training was another: {}; leave out what is changed, or go on nevertheless with --accept-changes",
        checkpoint->source.string(), others));
  if (say) print(text);
  return {std::move(options.now), std::move(checkpoint)};
}

Beginning beginning_by_command(const Command& command, const Request& request, const Communicator& world) {
  using From = Command::OptionsFrom;
  if (request.resume && (command.options_from == From::nothing || command.options_from == From::given))
    throw ConfigError(fmt::format("command line: --resume is for a run that was interrupted, not for {}", command.description.name));
  if (command.options_from == From::nothing) {
    Beginning plain;
    plain.options.run.watchdog_seconds = 0;  // it is short, or runs of its own have theirs
    return plain;
  }
  if (command.options_from == From::given) return {resolve_options(request.sources, TargetName::optional), std::nullopt};
  if (command.options_from == From::checkpoint) {
    if (request.resume && !request.resume->from.empty())
      throw ConfigError(fmt::format("command line: --resume={}: {} goes on with what is in the --output folder; leave the path out",
                                    request.resume->from.string(), command.description.name));
    return for_a_checkpoint(request, world);
  }
  if (request.resume) return resumed(request, world);
  return {resolve_options(request.sources), std::nullopt};
}

}  // namespace

Beginning beginning_of(const Command& command, const Request& request, const Communicator& world) {
  auto beginning = beginning_by_command(command, request, world);
  // Files that options name may differ between hosts.
  require_same(world, "configuration", resolved_text(beginning.options));
  return beginning;
}

}  // namespace boltzcurve

#pragma once

#include <boltzcurve/error.hpp>
#include "app/process/run.hpp"
#include "io/checkpoint.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// A command: how the command line knows it, where its options start from, and what it does. A new command is a file in
/// src/app/commands and a line in the table of commands.cpp there.
struct Command {
  enum class OptionsFrom {
    nothing,     ///< it needs none
    resumable,   ///< defaults, then files, then the command line; or, if the request is to resume, as for `checkpoint`
    given,       ///< defaults, then files, then the command line; a target need not be named
    checkpoint,  ///< the options that the checkpoint in the output folder was made with, then files, then the command line
  };

  CommandDescription description;
  OptionsFrom options_from;
  ExitCode (*perform)(Run& run);
};

const std::vector<Command>& commands();

/// What a command begins with.
struct Beginning {
  Options options;
  std::optional<Checkpoint> checkpoint;  ///< what it goes on from, or takes its parameters from
};

/// Options of a request for `command`, and the checkpoint that they come from, if any. Says which checkpoint a run resumes from, what is
/// wrong with newer ones and which options have changed. Throws as resolve_options() does, InputError for a missing checkpoint, and
/// ConfigError where an option that the checkpoint was trained with, and that its parameters depend on, is to be another, or, unless
/// changes are accepted, one that the training depends on that is to be resumed; or where ranks come to different options. Collective.
Beginning beginning_of(const Command& command, const Request& request, const Communicator& world);

/// train, then sample, then evaluate, without a look at what earlier commands left in the folder.
ExitCode run(Run& run);

/// Learns the curve: writes checkpoint.h5, metrics.h5 and config.ini.
ExitCode train(Run& run);

/// Draws particles with the parameters of checkpoint.h5 in the output folder: writes samples.h5md.
ExitCode sample(Run& run);

/// Measures samples.h5md if it is there, else fresh particles: prints a table, writes evaluation.json and a row of metrics.h5.
ExitCode evaluate(Run& run);

/// Does the study that the command line names (see app/commands/study.hpp). Throws ConfigError, naming the nearest, for an unknown one.
ExitCode study(Run& run);

/// Many runs, in the folder of the output: `plan FILE` writes their manifest, `run` works on what is left of it, `status` says what has
/// become of them, `collect` gathers their results in sweep.csv and sweep.h5. Throws ConfigError, naming the nearest, for another action.
ExitCode sweep(Run& run);

/// Compares with closed forms, and the bits of a short run on all ranks with those of one rank and of a run that was resumed; prints
/// checksums and what differs. Options change the short run. Returns ExitCode::numerical_failure where something differs.
ExitCode verify(Run& run);

/// Prints what can be chosen, a line each: all of it, or one topic (`list targets`). Throws ConfigError, naming the nearest, for an
/// unknown topic.
ExitCode list(Run& run);

}  // namespace boltzcurve

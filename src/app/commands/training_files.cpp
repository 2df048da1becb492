#include "app/commands/training_files.hpp"

#include <boltzcurve/error.hpp>
#include "app/commands/stages.hpp"
#include "app/terminal/print.hpp"
#include "core/heartbeat.hpp"
#include "io/checkpoint_series.hpp"
#include "io/durable_file.hpp"
#include "io/target_identity.hpp"
#include "io/training_checkpoint.hpp"

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

const std::vector<Column> training_columns = {
    {"step", "1", Integers()},
    {"loss", "squared unit of the residual"},  // mean over the steps since the row before
    {"gradient_norm", "1"},
    {"learning_rate", "1"},
    {"points_per_second", "points/s"},
    {"seconds", "s"},
    {"skipped_steps", "1", Integers()},
    {"left_out_points", "1", Integers()},
};

/// The metrics beside a checkpoint that tell its history, if they are there: those of the last run in the folder, or those it put aside.
std::optional<std::filesystem::path> history_of(const Checkpoint& checkpoint) {
  const auto last = folder_of(checkpoint.source) / "metrics.h5", one_before = previous_path(last);
  const auto is_its = [&](const std::filesystem::path& file, bool if_unknown) {
    if (!std::filesystem::exists(file)) return false;
    try {
      const auto training_id = read_metrics_provenance(file).training;
      return training_id.empty() ? if_unknown : training_id == checkpoint.provenance.training;
    } catch (const NotDamaged&) {
      throw;
    } catch (const InputError&) {
      return if_unknown;
    }
  };
  if (is_its(last, true)) return last;
  if (is_its(one_before, false)) return one_before;
  return std::nullopt;
}

}  // namespace

void TrainingFiles::begin(Trainer& trainer) {
  const auto path = run_.output(checkpoint_name);
  const bool to_be_trained = trainer.has_steps_left();
  bool is_there = false;
  on_root(run_.world(), [&] {
    is_there = run_.checkpoint() && is_same_file(run_.checkpoint()->source, path);
    put_kept_ones_aside(path, trainer.state().step);  // first: whoever comes after a kill in between is to find what they belong to
    if (!is_there) put_others_aside(path);
    replace_file(run_.output("config.ini"), resolved_text(run_.options()));
    // What was drawn from other parameters does not belong to what this run learns.
    if (to_be_trained || !is_there) {
      for (const char* file : {samples_name, "evaluation.json"}) keep_as_previous(run_.output(file));
      remove_file(run_.output(unfinished_samples_name));
    }
    open_metrics(trainer.state(), to_be_trained);
  });
  if (!run_.world().any(is_there)) write(trainer, trainer.snapshot(), to_be_trained ? "running" : "finished");
}

void TrainingFiles::put_others_aside(const std::filesystem::path& path) {
  auto aside = put_checkpoint_aside(path, path);
  // The one before it, unless it is what this run goes on from: of a run whose latest is kept it holds nothing more.
  const auto previous = previous_path(path);
  if (!run_.checkpoint() || !is_same_file(run_.checkpoint()->source, previous)) {
    if (aside && !aside->damaged)
      remove_file(previous);
    else if (const auto other = put_checkpoint_aside(previous, path))
      aside = other;
  }
  if (aside)
    boltzcurve::warn(run_.world(),
                     fmt::format("a checkpoint that was here and that this run does not go on from is now {}", aside->path.string()));
}

/// Kept checkpoints that are not on the way to where this run is, nor, if nothing is changed, on its way from there: nothing is to fall
/// back to them.
void TrainingFiles::put_kept_ones_aside(const std::filesystem::path& path, std::int64_t step) {
  const auto& from = run_.checkpoint();
  const auto names = put_kept_aside(path, [&](const Checkpoint& kept) {
    if (!from || !kept.provenance.may_share_training_with(from->provenance)) return false;
    return !run_.request().accept_changes || kept.scalar<std::int64_t>("step") <= step;
  });
  if (!names.empty())
    boltzcurve::warn(run_.world(), fmt::format("{} checkpoint{} kept by another training {} now {}{}", names.size(),
                                               names.size() == 1 ? "" : "s", names.size() == 1 ? "is" : "are", names.front().string(),
                                               names.size() == 1 ? "" : " to " + names.back().filename().string()));
}

/// Rows of the run that is resumed stay, up to its checkpoint; but the one that it ended with in the middle of a window, if training goes
/// on: that of the whole window comes in its place.
void TrainingFiles::open_metrics(const TrainingState& state, bool to_be_trained) {
  const auto path = run_.output("metrics.h5");
  if (const auto& from = run_.checkpoint()) {
    const auto history = history_of(*from);
    if (!history || !is_same_file(*history, path)) {
      std::vector<std::byte> rows;
      if (history) rows = read_file(*history);
      if (std::filesystem::exists(path))
        boltzcurve::warn(run_.world(),
                         fmt::format("{} is of another training, and is now {}", path.string(), previous_path(path).string()));
      keep_as_previous(path);
      if (history) replace_file(path, rows);
    }
    try {
      declare_metrics(path);
      metrics_->remove_after("training", "step", to_be_trained ? state.step - state.window.steps : state.step);
      metrics_->remove_after("evaluation", "step", state.step);
      return;
    } catch (const NotDamaged&) {
      throw;
    } catch (const InputError& error) {
      metrics_.reset();
      const auto aside = damaged_path(path);
      rename_file(path, aside);
      boltzcurve::warn(run_.world(), fmt::format("{}; it is now {}, and a new one begins", error.what(), aside.string()));
    }
  } else {
    keep_as_previous(path);
  }
  declare_metrics(path);
}

void TrainingFiles::declare_metrics(const std::filesystem::path& path) {
  metrics_.emplace(path, run_.provenance());
  metrics_->set_training(run_.provenance().training);
  metrics_->set_state("running");
  metrics_->declare("training", training_columns);
  metrics_->declare("evaluation", evaluation_columns());
}

void TrainingFiles::row(Trainer&, const TrainingRow& row) {
  on_root(run_.world(), [&] {
    const Cell values[] = {row.step,    row.loss,          row.gradient_norm,  row.learning_rate, row.points_per_second,
                           row.seconds, row.skipped_steps, row.left_out_points};
    metrics_->append("training", values);
  });
}

void TrainingFiles::keep(Trainer& trainer, const TrainingState& state, Occasion occasion, Stop ends) {
  write(trainer, state, occasion == Occasion::due ? "running" : is_interruption(ends) ? stopped_state(ends) : "finished");
}

void TrainingFiles::add(const QuickEvaluation& quick, const TrainingState& state) {
  on_root(run_.world(), [&] { metrics_->append("evaluation", evaluation_row(quick, state)); });
}

void TrainingFiles::close() {
  on_root(run_.world(), [&] { metrics_->close(); });
}

void TrainingFiles::write(Trainer& trainer, const TrainingState& state, const std::string& run_state) {
  const Phase phase("writing a checkpoint");
  const auto& options = run_.options().training;
  on_root(run_.world(), [&] {
    const auto path = run_.output(checkpoint_name);
    auto checkpoint = to_checkpoint(state, trainer.model().networks(), run_.provenance());
    checkpoint.scalars[run_state_attribute] = run_state;
    quick_.put_into(checkpoint);
    put_identity(checkpoint, *trainer.model().target);
    write_checkpoint(path, checkpoint, options.verify_checkpoints ? ReadBack::yes : ReadBack::no);
    if (options.keep_every > 0 && state.checkpoints % options.keep_every == 0) add_name(path, kept_path(path, state.step));
  });
}

}  // namespace boltzcurve

#include "app/commands/sweep_run.hpp"
#include "app/commands/commands.hpp"
#include "app/process/exit.hpp"
#include "app/sweep/manifest.hpp"
#include "app/sweep/median_rule.hpp"
#include "app/sweep/row_claims.hpp"
#include "app/sweep/row_set.hpp"
#include "app/sweep/row_state.hpp"
#include "app/terminal/print.hpp"
#include "io/durable_file.hpp"
#include "parallel/mpi_check.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <span>
#include <thread>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

/// Some ranks of a communicator, as one of their own.
class Group {
 public:
  /// Ranks of equal `color` work together; none where it is negative. Collective over `all`.
  Group(const Communicator& all, int color) {
    check_mpi(MPI_Comm_split(all.handle(), color < 0 ? MPI_UNDEFINED : color, all.rank(), &handle_), "MPI_Comm_split");
    if (handle_ != MPI_COMM_NULL) ranks_.emplace(handle_);
  }
  ~Group() {
    if (handle_ != MPI_COMM_NULL && MPI_Comm_free(&handle_) != MPI_SUCCESS)
      std::fputs("boltzcurve: warning: MPI_Comm_free failed\n", stderr);
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  const std::optional<Communicator>& ranks() const { return ranks_; }

 private:
  MPI_Comm handle_ = MPI_COMM_NULL;
  std::optional<Communicator> ranks_;
};

/// A barrier that leaves the processor to those who still work.
void wait_for_all(const Communicator& ranks) {
  MPI_Request all_here;
  check_mpi(MPI_Ibarrier(ranks.handle(), &all_here), "MPI_Ibarrier");
  for (int done = 0; !done;) {
    check_mpi(MPI_Test(&all_here, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (!done) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

/// A row, and what had become of it before.
struct Row {
  std::int64_t number = 0;
  RowState before = RowState::pending;
};

/// Works on rows with one group of ranks.
class Worker {
 public:
  Worker(const Run& sweep, const Communicator& ranks, const Manifest& manifest, const SweepSettings& settings)
      : sweep_(sweep), ranks_(ranks), manifest_(manifest), settings_(settings) {}

  /// Runs the row to whatever end and writes that into its folder. Collective over the group.
  RowOutcome work_on(Row row) {
    const auto folder = sweep_.request().output / manifest_.rows[static_cast<std::size_t>(row.number)].folder;
    RowOutcome outcome;
    outcome.ranks = ranks_.size();
    const double started = steady_seconds();
    worse_than_others_.clear();
    // Another job may have had the row since this one looked at all of them.
    std::int64_t now = 0;
    on_root(ranks_, [&] {
      now = static_cast<std::int64_t>(status_of(folder).state);
      if (is_to_be_run(static_cast<RowState>(now))) remove_file(folder / outcome_name);
    });
    ranks_.broadcast(std::span(&now, 1));
    row.before = static_cast<RowState>(now);
    if (row.before == RowState::running) return {RowState::running, 0, "another job is at work on it", 0, 0};
    if (!is_to_be_run(row.before)) return {row.before, 0, "by another job", 0, 0};

    // Jobs that look at one moment both find the row free; the loser has nothing to say of it.
    const auto belongs_to_another_job = [&] { return holder_of(folder).has_value() || std::filesystem::exists(folder / outcome_name); };
    const auto failed = [&](const Ending& ending) {
      outcome = {RowState::failed, static_cast<int>(ending.code), ending.reason, steady_seconds() - started, ranks_.size()};
    };
    const auto ending = ending_of(
        ranks_, [&] { return run_in(folder, row); }, seconds_of_patience,
        [&](const Ending& mine) {
          // This ends all rows: at least the next job is not to end the same way.
          failed(mine);
          if (!belongs_to_another_job()) write_outcome(folder, outcome);
        });
    outcome.exit_code = static_cast<int>(ending.code);
    outcome.seconds = steady_seconds() - started;
    bool another_has_it = false;
    if (ending.failed) on_root(ranks_, [&] { another_has_it = belongs_to_another_job(); });
    if (ranks_.any(another_has_it)) return {RowState::running, 0, "another job is at work on it", 0, 0};
    if (ending.failed) {
      failed(ending);
    } else if (ending.code == ExitCode::stopped_resumable) {
      std::string why = worse_than_others_;
      ranks_.broadcast(why);
      outcome.state = why.empty() ? RowState::stopped : RowState::ended_early;
      outcome.detail = why.empty() ? name_of(interrupted_by_) : why;
    } else {
      outcome.state = RowState::done;
    }
    on_root(ranks_, [&] { write_outcome(folder, outcome); });
    return outcome;
  }

 private:
  static constexpr double seconds_of_patience = 2;

  ExitCode run_in(const std::filesystem::path& folder, const Row& row) {
    Request request = sweep_.request();
    request.command = "run";
    request.output = folder;
    request.quiet = true;
    request.sources = {read_config_file(folder / "config.ini")};
    if (row.before != RowState::pending) request.resume = ResumeRequest{true, {}};
    const Command command = {{"run", "", ""}, Command::OptionsFrom::resumable, boltzcurve::run};
    require_code_named(resolve_options(request.sources), sweep_.request().sources, (folder / "config.ini").string());
    const auto beginning = beginning_of(command, request, ranks_);
    Run run(ranks_, request, beginning.options, beginning.checkpoint, {sweep_.output(stop_file_name)});
    if (settings_.stop_early != EarlyStop::no) watch(run, folder);
    const auto code = command.perform(run);
    if (code == ExitCode::stopped_resumable) interrupted_by_ = run.stop().agree().stop;
    return code;
  }

  void watch(Run& run, const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> folders;
    for (const auto& row : manifest_.rows) folders.push_back(sweep_.request().output / row.folder);
    run.on_news = [this, &run, rule = MedianRule(settings_, folder, folders)](const TrainingNews& news) mutable {
      const double value = settings_.stop_early == EarlyStop::loss ? news.loss : news.ess;
      if (std::isnan(value)) return;
      const auto why = rule.tell(news.step, value);
      if (why && news.step < run.options().training.steps) {  // nothing to be saved at the last step
        worse_than_others_ = *why;
        run.stop().request(Stop::others);
      }
    };
  }

  const Run& sweep_;
  const Communicator& ranks_;
  const Manifest& manifest_;
  const SweepSettings& settings_;
  std::string worse_than_others_;  // on rank 0 of the group
  Stop interrupted_by_ = Stop::no;
};

/// Rows that are asked for and not done: their numbers, and what has become of them.
std::vector<Row> rows_to_run(const Run& sweep, const Manifest& manifest) {
  std::vector<std::int64_t> flat;
  const auto count = static_cast<std::int64_t>(manifest.rows.size());
  on_root(sweep.world(), [&] {
    const auto& asked = sweep.request().sweep.rows;
    for (const auto number : parse_rows(asked.empty() ? fmt::format("0-{}", count - 1) : asked, count)) {
      const auto state = status_of(sweep.request().output / manifest.rows[static_cast<std::size_t>(number)].folder).state;
      if (is_to_be_run(state)) flat.insert(flat.end(), {number, static_cast<std::int64_t>(state)});
    }
  });
  std::int64_t length = static_cast<std::int64_t>(flat.size());
  sweep.world().broadcast(std::span(&length, 1));
  flat.resize(static_cast<std::size_t>(length));
  sweep.world().broadcast(std::span(flat));
  std::vector<Row> rows;
  for (std::size_t i = 0; i < flat.size(); i += 2) rows.push_back({flat[i], static_cast<RowState>(flat[i + 1])});
  return rows;
}

template <class Read>
auto read_on_root(const Communicator& world, const std::filesystem::path& file, const Read& read) {
  std::string text;
  on_root(world, [&] { text = read_text(file); });
  world.broadcast(text);
  return read(text);
}

std::string line_about(const Manifest& manifest, const Row& row, const RowOutcome& outcome) {
  const auto& planned = manifest.rows[static_cast<std::size_t>(row.number)];
  std::string values;
  for (std::size_t i = 0; i < planned.values.size(); ++i) values += fmt::format(" {}={}", manifest.keys[i], planned.values[i]);
  return fmt::format("row {}{}: {} after {:.1f} s{}{}\n", row.number, values, name_of(outcome.state), outcome.seconds,
                     outcome.detail.empty() ? "" : ": ", outcome.detail);
}

}  // namespace

ExitCode run_rows_of_sweep(Run& sweep) {
  // 1. What is to be done, the same on all ranks.
  const auto& world = sweep.world();
  const auto& folder = sweep.request().output;
  on_root(world, [&] { read_manifest(folder); });
  const auto manifest =
      read_on_root(world, folder / manifest_name, [](const auto& text) { return manifest_from_csv(text, manifest_name); });
  const auto settings =
      read_on_root(world, folder / sweep_copy_name, [&](const auto& text) { return parse_sweep_settings(text, sweep_copy_name, folder); });
  const auto rows = rows_to_run(sweep, manifest);
  if (rows.empty()) {
    sweep.say("no row is left to be run");
    return ExitCode::done;
  }

  // 2. Groups of ranks.
  const int size = sweep.request().sweep.ranks_per_run > 0 ? sweep.request().sweep.ranks_per_run : settings.ranks_per_run;
  const int groups = world.size() / size;
  if (groups == 0)
    throw ConfigError(fmt::format("a run of the sweep wants {} ranks, and there are {}: start more, or give --ranks-per-run={}", size,
                                  world.size(), world.size()));
  if (world.size() % size > 0)
    warn(world, fmt::format("{} of {} ranks have nothing to do: {} work on a run", world.size() % size, world.size(), size));
  sweep.say(
      fmt::format("{} of {} rows, {} at a time, {} rank{} for each", rows.size(), manifest.rows.size(), groups, size, size > 1 ? "s" : ""));
  const int mine = world.rank() / size;
  const Group group(world, mine < groups ? mine : -1);

  // 3. Each takes rows, from its own part of the list first, until none is left or it is to stop.
  RowClaims claims(world, folder);
  std::int64_t worked = 0, failed = 0, stopped = 0;
  std::vector<std::int64_t> code_of_failed(rows.size());
  if (const auto& ranks = group.ranks()) {
    StopRequest stop(*ranks,
                     {.walltime = sweep.request().max_walltime, .stop_files = {sweep.output(stop_file_name)}, .part_of_another = true});
    Worker worker(sweep, *ranks, manifest, settings);
    const auto count = static_cast<std::int64_t>(rows.size());
    const auto first = count * mine / groups;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto place = static_cast<std::size_t>((first + i) % count);
      bool taken = false;
      on_root(*ranks, [&] { taken = claims.take(rows[place].number); });
      if (!ranks->any(taken)) continue;
      if (stop.agree().stop != Stop::no) {
        stopped += ranks->is_root();
        break;
      }
      const auto outcome = worker.work_on(rows[place]);
      if (!ranks->is_root()) continue;
      if (!sweep.request().quiet) print(line_about(manifest, rows[place], outcome));
      ++worked;
      failed += outcome.state == RowState::failed;
      stopped += outcome.state == RowState::stopped;
      if (outcome.state == RowState::failed) code_of_failed[place] = outcome.exit_code;
    }
  }

  // 4. All meet again.
  wait_for_all(world);
  worked = world.sum(worked), failed = world.sum(failed), stopped = world.sum(stopped);
  world.sum(std::span(code_of_failed));
  if (world.is_root()) claims.remove();
  sweep.say(
      fmt::format("{} rows worked on, {} failed{}", worked, failed, stopped > 0 ? "; stopped early, run the sweep again to go on" : ""));
  if (stopped > 0) {
    on_root(world, [&] { remove_file(sweep.output(stop_file_name)); });
    return ExitCode::stopped_resumable;
  }
  const auto code = std::find_if(code_of_failed.begin(), code_of_failed.end(), [](auto c) { return c != 0; });
  return code == code_of_failed.end() ? ExitCode::done : static_cast<ExitCode>(*code);
}

}  // namespace boltzcurve

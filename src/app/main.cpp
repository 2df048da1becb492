#include <boltzcurve/session.hpp>
#include <boltzcurve/version.hpp>
#include "app/commands/commands.hpp"
#include "app/options/request.hpp"
#include "app/process/exit.hpp"
#include "app/process/memory.hpp"
#include "app/process/run.hpp"
#include "app/process/stop_request.hpp"
#include "app/terminal/print.hpp"
#include "io/build.hpp"

#include <algorithm>
#include <string>
#include <vector>

int main(int argc, char* argv[]) {
  using namespace boltzcurve;

  // 1. Listen to signals, which may come early, and start MPI. It ends with main, after everything else.
  listen_to_signals();
  const MpiSession mpi(argc, argv);

  return exit_code_of(mpi.world(), [&] {
    // 2. Read the request; stop here unless every rank read the same.
    std::vector<CommandDescription> descriptions;
    for (const auto& command : commands()) descriptions.push_back(command.description);
    const Request request = parse_command_line(argc, argv, descriptions);
    require_same(mpi.world(), "request", request.text());
    const auto asked =
        std::find_if(commands().begin(), commands().end(), [&](const auto& c) { return c.description.name == request.command; });
    const Command command = asked != commands().end() ? *asked : Command{{}, Command::OptionsFrom::resumable, nullptr};

    // 3. Questions are answered by rank 0 before a device is touched: they work where there is none.
    using Question = Request::Question;
    if (request.question != Question::none) {
      std::string answer;
      if (request.question == Question::help) answer = help_text(descriptions, request.command);
      if (request.question == Question::version) answer = version_text();
      if (request.question == Question::show_config) answer = resolved_text(beginning_of(command, request, mpi.world()).options);
      if (mpi.world().is_root()) print(answer);
      return ExitCode::done;
    }

    // 4. Thermalize the options, start Kokkos (it ends with this scope, after the last View is gone) and do what is asked.
    const Beginning beginning = beginning_of(command, request, mpi.world());
    const KokkosSession kokkos(argc, argv);
    if (!native_vector_flags() && mpi.world().is_root() && !request.quiet)
      std::fputs(
          "boltzcurve: warning: built without this machine's vector instructions (BOLTZCURVE_NATIVE=OFF): kernels are about ten times "
          "slower\n",
          stderr);
    Run run(mpi.world(), request, beginning.options, beginning.checkpoint);
    const ExitCode code = command.perform(run);
    if (command.options_from != Command::OptionsFrom::nothing) run.say(memory_report(mpi.world()));
    return code;
  });
}

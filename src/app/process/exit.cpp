#include "app/process/exit.hpp"
#include "app/process/stop_request.hpp"
#include "core/heartbeat.hpp"
#include "io/hdf5.hpp"
#include "parallel/mpi_check.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <new>
#include <sstream>
#include <thread>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr auto out_of_memory =
    "out of memory; use more nodes, fewer particles (sampling.particles, sampling.block), fewer exact samples (evaluation.exact-samples) "
    "or "
    "fewer points (collocation.points)";

/// How this rank ended.
Ending end_of(const std::function<ExitCode()>& work) {
  try {
    return {work()};
  } catch (const Error& error) {
    return {error.code(), true, error.what()};
  } catch (const std::filesystem::filesystem_error& error) {
    return {ExitCode::input, true, fmt::format("cannot use {}: {}", error.path1().string(), error.code().message())};
  } catch (const std::bad_alloc&) {
    return {ExitCode::internal_error, true, out_of_memory};
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    if (reason.find("failed to allocate") != std::string::npos) return {ExitCode::internal_error, true, out_of_memory};  // Kokkos
    return {ExitCode::internal_error, true, "internal error: " + reason};
  } catch (...) {
    return {ExitCode::internal_error, true, "internal error: an exception of unknown type"};
  }
}

/// On one line that a terminal shows as it is, whatever a file or an argument that it quotes may hold; of a long one both ends, which say
/// where and what would be right.
std::string readable(const std::string& text) {
  constexpr std::size_t first = 1000, last = 500;
  const bool is_long = text.size() > first + last;
  const std::string shown =
      is_long ? text.substr(0, first) + fmt::format(" [... {} bytes ...] ", text.size() - first - last) + text.substr(text.size() - last)
              : text;
  std::string line;
  for (const char letter : shown) {
    const auto code = static_cast<unsigned char>(letter);
    constexpr unsigned char blank = 0x20, rubout = 0x7f;
    if (letter == '\n')
      line += ' ';
    else if (code < blank || code == rubout)
      line += fmt::format("\\x{:02x}", code);
    else
      line += letter;
  }
  return line;
}

void tell(const std::string& reason, const std::string& where) {
  // In one piece, so that lines of several ranks do not mix.
  const std::string line = "boltzcurve: error: " + readable(reason) + where + "\n";
  std::fflush(stdout);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

/// No exception may leave the end of a program: tells an error of MPI and ends the job.
void must(int code, const char* function) {
  try {
    check_mpi(code, function);
  } catch (const Error& error) {
    tell(error.what(), "");
    MPI_Abort(MPI_COMM_WORLD, static_cast<int>(error.code()));
  }
}

}  // namespace

Ending ending_of(const Communicator& ranks, const std::function<ExitCode()>& work, double patience_seconds,
                 const std::function<void(const Ending&)>& before_abort) {
  // On a communicator of its own: ranks that still wait in a collective of `ranks` must not meet this one.
  MPI_Comm ending;
  must(MPI_Comm_dup(ranks.handle(), &ending), "MPI_Comm_dup");
  Ending end = end_of(work);
  const auto abort = [&] {
    if (before_abort) before_abort(end);
    MPI_Abort(ranks.handle(), static_cast<int>(end.code));
  };

  constexpr int nobody = std::numeric_limits<int>::max();
  const int mine = end.failed ? ranks.rank() : nobody;
  int lowest_failed = nobody;
  MPI_Request agreement;
  must(MPI_Iallreduce(&mine, &lowest_failed, 1, MPI_INT, MPI_MIN, ending, &agreement), "MPI_Iallreduce");
  int all_arrived = 0;
  must(MPI_Test(&agreement, &all_arrived, MPI_STATUS_IGNORE), "MPI_Test");
  const Phase phase("ending");
  const WaitForOthers waiting;
  if (!all_arrived && !end.failed) must(MPI_Wait(&agreement, MPI_STATUS_IGNORE), "MPI_Wait"), all_arrived = 1;
  // Of several ranks that fail, the lowest loses patience first, and its abort, which takes a launcher up to half a second, silences the
  // others.
  const double patience = patience_seconds + 2.0 * ranks.rank() / ranks.size();
  for (const double start = steady_seconds(); !all_arrived && steady_seconds() - start < patience;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    must(MPI_Test(&agreement, &all_arrived, MPI_STATUS_IGNORE), "MPI_Test");
  }
  // NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker): MPI_Test has waited, or MPI_Abort will follow
  const std::string where = ranks.size() > 1 ? fmt::format(" (on rank {})", ranks.rank()) : "";
  if (!all_arrived) {
    tell(end.reason, where);
    abort();
  }

  // Everyone is here: leave in order, as the lowest rank that failed, else with the largest code (a rank that stopped early).
  if (ranks.rank() == lowest_failed) tell(end.reason, lowest_failed > 0 ? where : "");
  // Not in order where a file is open that HDF5 could not close, or that a rank left open since others may not be there to close it with:
  // MPI_Finalize would make HDF5 close it, and crash or hang.
  if (lowest_failed != nobody) {
    int open = hdf5::open_files() > 0;
    must(MPI_Allreduce(MPI_IN_PLACE, &open, 1, MPI_INT, MPI_MAX, ending), "MPI_Allreduce");
    if (open && ranks.rank() == lowest_failed) abort();
  }
  int code = static_cast<int>(end.code);
  if (lowest_failed == nobody) {
    must(MPI_Allreduce(MPI_IN_PLACE, &code, 1, MPI_INT, MPI_MAX, ending), "MPI_Allreduce");
  } else {
    int length = static_cast<int>(end.reason.size());
    must(MPI_Bcast(&code, 1, MPI_INT, lowest_failed, ending), "MPI_Bcast");
    must(MPI_Bcast(&length, 1, MPI_INT, lowest_failed, ending), "MPI_Bcast");
    end.failed = true;
    end.reason.resize(static_cast<std::size_t>(length));
    must(MPI_Bcast(end.reason.data(), length, MPI_CHAR, lowest_failed, ending), "MPI_Bcast");
  }
  end.code = static_cast<ExitCode>(code);
  must(MPI_Comm_free(&ending), "MPI_Comm_free");
  return end;
}

int exit_code_of(const Communicator& world, const std::function<ExitCode()>& work, double patience_seconds) {
  return static_cast<int>(ending_of(world, work, patience_seconds).code);
}

void require_same(const Communicator& world, const std::string& what, const std::string& text) {
  std::string first = text;
  world.broadcast(first);
  std::string message;
  if (text != first) {
    std::istringstream mine(text), theirs(first);
    std::string my_line, their_line;
    do {
      my_line.clear(), their_line.clear();
      std::getline(mine, my_line);
      std::getline(theirs, their_line);
    } while (my_line == their_line && (mine || theirs));
    message = fmt::format("{} differs from that of rank 0: '{}' in place of '{}'; start every rank with the same arguments and files", what,
                          my_line, their_line);
  }
  agree_on_error(world, message, static_cast<int>(ExitCode::usage));
}

}  // namespace boltzcurve

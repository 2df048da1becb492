#include <boltzcurve/communicator.hpp>
#include <boltzcurve/error.hpp>
#include "core/heartbeat.hpp"
#include "parallel/mpi_check.hpp"
#include "parallel/on_all.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace boltzcurve {
namespace {

// MPI-3 counts are int: longer arrays travel in pieces.
template <class T>
void in_pieces(std::span<T> values, const char* function, const std::function<int(T* piece, int count)>& call) {
  const WaitForOthers waiting;
  constexpr std::size_t piece = std::size_t{1} << 30;
  for (std::size_t begin = 0; begin < values.size(); begin += piece)
    check_mpi(call(values.data() + begin, static_cast<int>(std::min(piece, values.size() - begin))), function);
}

template <class T>
void all_reduce(MPI_Comm comm, std::span<T> values, MPI_Datatype type, MPI_Op operation) {
  in_pieces<T>(values, "MPI_Allreduce",
               [&](T* piece, int count) { return MPI_Allreduce(MPI_IN_PLACE, piece, count, type, operation, comm); });
}

template <class T>
void broadcast_from_root(MPI_Comm comm, std::span<T> values, MPI_Datatype type) {
  in_pieces<T>(values, "MPI_Bcast", [&](T* piece, int count) { return MPI_Bcast(piece, count, type, 0, comm); });
}

/// How many values each rank gives and where they go: MPI-3 wants both as int.
struct GatherPlan {
  std::vector<int> counts, offsets;
  std::int64_t total = 0;

  GatherPlan(MPI_Comm comm, int size, std::size_t local) : counts(static_cast<std::size_t>(size)), offsets(counts.size()) {
    if (local > static_cast<std::size_t>(std::numeric_limits<int>::max()))
      throw Error(ExitCode::internal_error, "gathering more than 2^31 numbers of one rank");
    const WaitForOthers waiting;
    const int mine = static_cast<int>(local);
    check_mpi(MPI_Allgather(&mine, 1, MPI_INT, counts.data(), 1, MPI_INT, comm), "MPI_Allgather");
    for (std::size_t r = 0; r < counts.size(); ++r) {
      if (total > std::numeric_limits<int>::max()) throw Error(ExitCode::internal_error, "gathering more than 2^31 numbers");
      offsets[r] = static_cast<int>(total);
      total += counts[r];
    }
  }
};

template <class T>
std::vector<T> gather_to_all(MPI_Comm comm, int size, std::span<const T> values, MPI_Datatype type) {
  const WaitForOthers waiting;
  const GatherPlan plan(comm, size, values.size());
  std::vector<T> all(static_cast<std::size_t>(plan.total));
  check_mpi(
      MPI_Allgatherv(values.data(), static_cast<int>(values.size()), type, all.data(), plan.counts.data(), plan.offsets.data(), type, comm),
      "MPI_Allgatherv");
  return all;
}

}  // namespace

Communicator::Communicator(MPI_Comm handle) : handle_(handle) {
  check_mpi(MPI_Comm_rank(handle_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(handle_, &size_), "MPI_Comm_size");
}

void Communicator::barrier() const {
  const WaitForOthers waiting;
  check_mpi(MPI_Barrier(handle_), "MPI_Barrier");
}

void Communicator::sum(std::span<std::int64_t> values) const { all_reduce(handle_, values, MPI_INT64_T, MPI_SUM); }
void Communicator::sum(std::span<double> values) const { all_reduce(handle_, values, MPI_DOUBLE, MPI_SUM); }
void Communicator::sum(std::span<float> values) const { all_reduce(handle_, values, MPI_FLOAT, MPI_SUM); }
void Communicator::max(std::span<double> values) const { all_reduce(handle_, values, MPI_DOUBLE, MPI_MAX); }
void Communicator::max(std::span<std::int64_t> values) const { all_reduce(handle_, values, MPI_INT64_T, MPI_MAX); }

std::int64_t Communicator::sum(std::int64_t value) const {
  sum(std::span<std::int64_t>(&value, 1));
  return value;
}

double Communicator::max(double value) const {
  max(std::span<double>(&value, 1));
  return value;
}

bool Communicator::any(bool value) const {
  std::int64_t flag = value;
  max(std::span<std::int64_t>(&flag, 1));
  return flag != 0;
}

void Communicator::broadcast(std::string& text) const {
  auto length = static_cast<std::int64_t>(text.size());
  broadcast(std::span<std::int64_t>(&length, 1));
  text.resize(static_cast<std::size_t>(length));
  broadcast_from_root(handle_, std::span<char>(text), MPI_CHAR);
}

void Communicator::broadcast(std::span<double> values) const { broadcast_from_root(handle_, values, MPI_DOUBLE); }
void Communicator::broadcast(std::span<std::int64_t> values) const { broadcast_from_root(handle_, values, MPI_INT64_T); }

std::vector<double> Communicator::all_gather(std::span<const double> values) const {
  return gather_to_all(handle_, size_, values, MPI_DOUBLE);
}

std::vector<std::int64_t> Communicator::all_gather(std::span<const std::int64_t> values) const {
  return gather_to_all(handle_, size_, values, MPI_INT64_T);
}

std::vector<double> Communicator::gather(std::span<const double> values, int root) const {
  const WaitForOthers waiting;
  const GatherPlan plan(handle_, size_, values.size());
  std::vector<double> all(rank_ == root ? static_cast<std::size_t>(plan.total) : 0);
  check_mpi(MPI_Gatherv(values.data(), static_cast<int>(values.size()), MPI_DOUBLE, all.data(), plan.counts.data(), plan.offsets.data(),
                        MPI_DOUBLE, root, handle_),
            "MPI_Gatherv");
  return all;
}

std::vector<std::string> Communicator::all_gather(const std::string& text) const {
  const auto lengths = all_gather(std::vector<std::int64_t>{static_cast<std::int64_t>(text.size())});
  const auto joined = gather_to_all(handle_, size_, std::span<const char>(text), MPI_CHAR);
  std::vector<std::string> texts;
  auto begin = joined.begin();
  for (const auto length : lengths) {
    texts.emplace_back(begin, begin + length);
    begin += length;
  }
  return texts;
}

Shard shard_of(std::int64_t total, std::int64_t granule, int rank, int size) {
  const std::int64_t blocks = (total + granule - 1) / granule;
  const auto border = [&](std::int64_t r) { return std::min(total, (blocks * r / size) * granule); };
  return {border(rank), border(rank + 1) - border(rank)};
}

void agree_on_error(const Communicator& ranks, const std::string& message, int code) {
  if (!ranks.any(!message.empty())) return;
  const auto messages = ranks.all_gather(message);
  const auto codes = ranks.all_gather(std::vector<std::int64_t>{code});
  const auto first = std::find_if(messages.begin(), messages.end(), [](const std::string& text) { return !text.empty(); });
  const auto failed = static_cast<std::size_t>(first - messages.begin());
  const std::string where = ranks.size() > 1 && messages[0].empty() ? " (on rank " + std::to_string(failed) + ")" : "";
  throw Error(static_cast<ExitCode>(codes[failed]), *first + where);
}

void on_all(const Communicator& ranks, const std::function<void()>& work) {
  std::string message;
  auto code = ExitCode::internal_error;
  try {
    work();
  } catch (const Error& error) {
    message = error.what();
    code = error.code();
  } catch (const std::exception& error) {
    message = error.what();
  }
  agree_on_error(ranks, message, static_cast<int>(code));
}

void on_root(const Communicator& ranks, const std::function<void()>& work) {
  on_all(ranks, [&] {
    if (ranks.is_root()) work();
  });
}

}  // namespace boltzcurve

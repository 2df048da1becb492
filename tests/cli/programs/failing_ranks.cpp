// failing_ranks WHO WHAT: the ranks of WHO ("all", "1", "12": digits) throw an error of kind WHAT; the others wait in a barrier, for ever
// if some of them failed. With WHAT = "disk" the ranks of WHO write a file together, by MPI-IO, on a disk that fills up: WHO must be "all".
#include <boltzcurve/session.hpp>
#include "app/process/exit.hpp"
#include "io/hdf5.hpp"

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/resource.h>

namespace {

[[noreturn]] void fail(const std::string& what) {
  if (what == "config") throw boltzcurve::ConfigError("network.width = 0");
  if (what == "input") throw boltzcurve::InputError("cannot read modes.csv");
  if (what == "numerical") throw boltzcurve::NumericalError("diverged");
  if (what == "memory") throw std::bad_alloc();
  if (what == "int") throw 1;
  throw std::logic_error("a bug");
}

// A limit to the size of files does what a full disk does, and needs no disk.
void fill_the_disk(const boltzcurve::Communicator& world) {
  namespace hdf5 = boltzcurve::hdf5;
  constexpr rlim_t limit = 1 << 16;
  constexpr std::int64_t count = 1 << 16;  // of 8 bytes each: more than the limit on every rank
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit bytes{limit, limit};
  setrlimit(RLIMIT_FSIZE, &bytes);
  auto file = hdf5::create_file("full.h5", hdf5::parallel_file_access(world.handle()));
  auto dataset = hdf5::create_dataset<double>(file, "x", {count * world.size()});
  const std::vector<double> values(count, 1.0);
  hdf5::write_slab(dataset, {{count * world.rank()}, {count}}, std::span<const double>(values), hdf5::independent_transfer());
  dataset.close();
  file.close();
}

}  // namespace

int main(int argc, char* argv[]) {
  const boltzcurve::MpiSession mpi(argc, argv);
  const std::string who = argv[1], what = argv[2];
  return boltzcurve::exit_code_of(mpi.world(), [&] {
    if (what == "disk") fill_the_disk(mpi.world());
    if (who == "all" || who.find(std::to_string(mpi.world().rank())) != std::string::npos) fail(what);
    mpi.world().barrier();
    std::puts("all ranks met");
    std::fflush(stdout);  // the launcher ends the others when the first leaves with a code other than 0
    return boltzcurve::ExitCode::stopped_resumable;
  });
}

// failing_ranks WHO WHAT: the ranks of WHO ("all", "1", "12": digits) throw an error of kind WHAT; the others wait in a barrier, for ever
// if some of them failed.
#include <boltzcurve/parallel/session.hpp>
#include <boltzcurve/run/exit.hpp>

#include <cstdio>
#include <new>
#include <stdexcept>
#include <string>

namespace {

[[noreturn]] void fail(const std::string& what) {
  if (what == "config") throw boltzcurve::ConfigError("network.width = 0");
  if (what == "input") throw boltzcurve::InputError("cannot read modes.csv");
  if (what == "numerical") throw boltzcurve::NumericalError("diverged");
  if (what == "memory") throw std::bad_alloc();
  if (what == "int") throw 1;
  throw std::logic_error("a bug");
}

}  // namespace

int main(int argc, char* argv[]) {
  const boltzcurve::MpiSession mpi(argc, argv);
  const std::string who = argv[1], what = argv[2];
  return boltzcurve::exit_code_of(mpi.world(), [&] {
    if (who == "all" || who.find(std::to_string(mpi.world().rank())) != std::string::npos) fail(what);
    mpi.world().barrier();
    std::puts("all ranks met");
    return boltzcurve::ExitCode::stopped_resumable;
  });
}

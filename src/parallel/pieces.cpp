#include "parallel/pieces.hpp"
#include <boltzcurve/error.hpp>
#include "core/heartbeat.hpp"
#include "parallel/pending_max.hpp"

#include <chrono>
#include <string>
#include <thread>

namespace boltzcurve {
namespace {

constexpr auto between_looks = std::chrono::milliseconds(2);  // of a rank that waits for others: leaves the core to those

}  // namespace

Stop do_in_pieces(const Communicator& ranks, const std::function<Stop()>& stop, const std::function<bool()>& piece) {
  std::string failure;
  auto code = ExitCode::internal_error;
  bool left = true;
  const auto try_piece = [&] {
    try {
      left = piece();
    } catch (const Error& error) {
      failure = error.what();
      code = error.code();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    left = left && failure.empty();
  };
  for (;;) {
    PendingMax agreement(ranks, {static_cast<std::int64_t>(stop()), left, !failure.empty()});
    do {
      if (left) try_piece();
    } while (!agreement.has_come() && left);
    if (!left) {
      const WaitForOthers waiting;
      while (!agreement.has_come()) std::this_thread::sleep_for(between_looks);
    }
    const bool any_left = agreement.result()[1] != 0, any_failed = agreement.result()[2] != 0;
    // An error that came after this agreement began is heard of in the next one.
    if (any_failed) agree_on_error(ranks, failure, static_cast<int>(code));
    if (!any_left) return Stop::no;
    if (const auto why = static_cast<Stop>(agreement.result()[0]); is_interruption(why)) {
      agree_on_error(ranks, failure, static_cast<int>(code));
      return why;
    }
  }
}

}  // namespace boltzcurve

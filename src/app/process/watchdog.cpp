#include "app/process/watchdog.hpp"
#include <boltzcurve/error.hpp>
#include "app/process/stop_request.hpp"
#include "core/heartbeat.hpp"
#include "io/host_names.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace boltzcurve {
namespace {

/// What a rank says of itself.
struct News {
  std::uint64_t job = 0;  // tells it from strangers' datagrams
  std::int32_t rank = 0, waits = 0;
  double still_for = 0;  // seconds without a beat
  char phase[48] = {};
};

struct Rank {
  News last;
  double heard_at = 0;
  bool heard = false;
};

constexpr double seconds_for_mpi_to_abort = 5;

/// Ends the job from a thread that is not MPI's: MPI_Abort may not return when MPI is what hangs.
[[noreturn]] void end_job() {
  constexpr int code = static_cast<int>(ExitCode::internal_error);
  std::thread([] { MPI_Abort(MPI_COMM_WORLD, code); }).detach();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds_for_mpi_to_abort));
  _exit(code);
}

sockaddr_in address_of(const std::string& host, bool same_host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (same_host) return address;
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  address.sin_addr.s_addr = htonl(INADDR_ANY);  // nowhere: nothing gets through
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return address;
  address.sin_addr = reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr;
  freeaddrinfo(found);
  return address;
}

}  // namespace

class Watchdog::Watch {
 public:
  Watch(const Communicator& world, double seconds)
      : rank_(world.rank()),
        limit_(seconds),
        interval_(std::clamp(seconds / 8, 0.05, 10.0)),
        hosts_(host_of_each_rank(world)),
        ranks_(static_cast<std::size_t>(world.size())),
        start_(steady_seconds()) {
    if (world.size() > 1) open_socket(world);
    for (auto& rank : ranks_) rank.heard_at = start_;
    // Signals are for the thread that works.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { watch(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  ~Watch() {
    done_ = true;
    thread_.join();
    if (socket_ >= 0) close(socket_);
  }

 private:
  void open_socket(const Communicator& world) {
    socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    socklen_t size = sizeof any;
    std::int64_t where[2] = {0, 0};
    if (rank_ == 0 && socket_ >= 0 && bind(socket_, reinterpret_cast<sockaddr*>(&any), size) == 0 &&
        getsockname(socket_, reinterpret_cast<sockaddr*>(&any), &size) == 0) {
      std::random_device entropy;
      where[0] = ntohs(any.sin_port);
      where[1] = static_cast<std::int64_t>((static_cast<std::uint64_t>(entropy()) << 32) | entropy());
    }
    world.broadcast(std::span<std::int64_t>(where));
    job_ = static_cast<std::uint64_t>(where[1]);
    if (rank_ != 0) root_ = address_of(hosts_[0], hosts_[0] == hosts_[static_cast<std::size_t>(rank_)], static_cast<int>(where[0]));
  }

  void watch() {
    tell(steady_seconds());  // at once: one that is stopped before it has ever spoken cannot be told from one whose datagrams get lost
    while (!done_) {
      const double before = steady_seconds();
      wait_for_news();
      const double now = steady_seconds();
      // Stopped as a whole, this program included: nobody could have made progress.
      if (now - before > 2 * interval_ + 1) begin_anew(now);
      tell(now);
      judge(now);
    }
  }

  void tell(double now) {
    look_at_myself(now);
    if (rank_ != 0) send(ranks_[me()].last, root_);
  }

  std::size_t me() const { return static_cast<std::size_t>(rank_); }

  void begin_anew(double now) {
    for (auto& rank : ranks_) rank.heard_at = now, rank.last.still_for = 0;
    last_beat_ = now;
  }

  /// Takes what comes in until it is time to look again; soon at the end of the program.
  void wait_for_news() {
    constexpr double shortest_nap = 0.05;
    const double until = steady_seconds() + interval_;
    for (double left = interval_; left > 0 && !done_; left = until - steady_seconds()) {
      pollfd ready{socket_, POLLIN, 0};
      poll(&ready, socket_ >= 0 ? 1 : 0, static_cast<int>(1e3 * std::min(left, shortest_nap)) + 1);
      News news;
      sockaddr_in from{};
      socklen_t size = sizeof from;
      while (socket_ >= 0 &&
             recvfrom(socket_, &news, sizeof news, 0, reinterpret_cast<sockaddr*>(&from), &size) == static_cast<ssize_t>(sizeof news)) {
        if (news.job != job_ || news.rank < 0 || static_cast<std::size_t>(news.rank) >= ranks_.size() || news.rank == rank_) continue;
        news.phase[sizeof news.phase - 1] = '\0';
        ranks_[static_cast<std::size_t>(news.rank)] = {news, steady_seconds(), true};
        if (rank_ == 0) send(ranks_[0].last, from);
      }
    }
  }

  void look_at_myself(double now) {
    const auto heartbeat = read_heartbeat();
    if (heartbeat.beats != beats_ || last_beat_ == 0) last_beat_ = now;
    beats_ = heartbeat.beats;
    News news;
    news.job = job_;
    news.rank = rank_;
    news.waits = heartbeat.waits;
    news.still_for = now - last_beat_;
    std::strncpy(news.phase, heartbeat.phase, sizeof news.phase - 1);
    ranks_[me()] = {news, now, true};
  }

  void send(const News& news, const sockaddr_in& to) const {
    if (socket_ >= 0 && to.sin_port != 0)
      (void)sendto(socket_, &news, sizeof news, MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }

  double still_for(std::size_t rank, double now) const { return ranks_[rank].last.still_for + (now - ranks_[rank].heard_at); }
  bool is_silent(std::size_t rank, double now) const { return ranks_[rank].heard && now - ranks_[rank].heard_at > 4 * interval_; }

  void judge(double now) {
    if (rank_ == 0)
      judge_all(now);
    else
      judge_without_root(now);
  }

  void judge_all(double now) {
    bool somebody_hangs = false, all_wait = true;
    for (std::size_t r = 0; r < ranks_.size(); ++r) {
      const bool hangs = still_for(r, now) > limit_ && ranks_[r].heard;
      somebody_hangs = somebody_hangs || (hangs && (!ranks_[r].last.waits || is_silent(r, now)));
      all_wait = all_wait && hangs && ranks_[r].last.waits;
    }
    if (still_for(0, now) > 2 * limit_ && ranks_[0].last.waits)
      for (std::size_t r = 1; r < ranks_.size(); ++r)
        if (!ranks_[r].heard) end(r, now, " and has never been heard: it was stopped, or datagrams do not get through from its node");
    if (!somebody_hangs && !all_wait) return;
    for (std::size_t r = 0; r < ranks_.size(); ++r)
      if (is_silent(r, now)) end(r, now, " and does not answer: it was stopped, or its node or the network is down");
    for (std::size_t r = 0; r < ranks_.size(); ++r)
      if (still_for(r, now) > limit_ && !ranks_[r].last.waits) end(r, now, "");
    end(0, now, ", nor has any other rank: all wait for each other");
  }

  /// Rank 0 has `limit_` and some more; then the others speak, the lowest first.
  void judge_without_root(double now) {
    const double turn = 2 * interval_ + 1.0 * static_cast<double>(rank_) / static_cast<double>(ranks_.size());
    const double mine = still_for(me(), now);
    if (ranks_[0].heard) {
      if (now - ranks_[0].heard_at > limit_ + turn && mine > limit_)
        end(0, now, " and does not answer: it was stopped, or its node or the network is down");
    } else if (mine > 2 * limit_ + turn && ranks_[me()].last.waits) {
      end(me(), now, ": it waits for another rank, which one cannot be told because datagrams do not get through to rank 0");
    }
    if (mine > limit_ + 4 * interval_ + turn && !ranks_[me()].last.waits) end(me(), now, "");
  }

  [[noreturn]] void end(std::size_t culprit, double now, const std::string& more) const {
    const auto& rank = ranks_[culprit];
    const auto text = fmt::format(
        "boltzcurve: error: rank {} on {} has made no progress for {:.3g} s while {}{}; the job ends. --resume goes on from the last "
        "checkpoint; run.watchdog-seconds = {:.6g} is how long to wait, 0: for ever\n",
        culprit, hosts_[culprit], still_for(culprit, now), rank.heard ? rank.last.phase : "starting", more, limit_);
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
    end_job();
  }

  const int rank_;
  const double limit_, interval_;
  const std::vector<std::string> hosts_;
  std::vector<Rank> ranks_;  // on rank 0 all, elsewhere this one and rank 0
  double start_, last_beat_ = 0;
  std::uint64_t beats_ = 0, job_ = 0;
  int socket_ = -1;
  sockaddr_in root_{};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

Watchdog::Watchdog(const Communicator& world, double seconds) : watch_(std::make_unique<Watch>(world, seconds)) {}
Watchdog::~Watchdog() = default;

}  // namespace boltzcurve

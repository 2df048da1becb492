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

/// What a rank tells the next one of itself.
struct News {
  std::uint64_t job = 0;     // tells it from strangers' datagrams
  double still_for = 0;      // seconds without a beat
  std::int64_t waiting = 0;  // so many ranks in a row, the last of which is this one, have waited for others for too long
  char phase[48] = "starting";
};

constexpr double seconds_for_mpi_to_abort = 5;

/// Ends the job from a thread that is not MPI's: MPI_Abort may not return when MPI is what hangs.
[[noreturn]] void end_job() {
  constexpr int code = static_cast<int>(ExitCode::internal_error);
  std::thread([] { MPI_Abort(MPI_COMM_WORLD, code); }).detach();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds_for_mpi_to_abort));
  _exit(code);
}

sockaddr_in address_of(const std::string& host, bool same_host, std::int64_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(same_host ? INADDR_LOOPBACK : INADDR_ANY);
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  if (!same_host && getaddrinfo(host.c_str(), nullptr, &hints, &found) == 0) {
    address.sin_addr = reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr;
    freeaddrinfo(found);
  }
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

}  // namespace

class Watchdog::Watch {
 public:
  Watch(const Communicator& world, double seconds)
      : rank_(static_cast<std::size_t>(world.rank())),
        size_(static_cast<std::size_t>(world.size())),
        limit_(seconds),
        interval_(std::clamp(seconds / 8, 0.05, 10.0)),
        hosts_(host_of_each_rank(world)) {
    open_socket(world);
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
  std::size_t rank_before() const { return (rank_ + size_ - 1) % size_; }

  void open_socket(const Communicator& world) {
    socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in mine{};
    mine.sin_family = AF_INET;
    socklen_t size = sizeof mine;
    std::int64_t port = 0;
    if (socket_ >= 0 && bind(socket_, reinterpret_cast<sockaddr*>(&mine), size) == 0 &&
        getsockname(socket_, reinterpret_cast<sockaddr*>(&mine), &size) == 0)
      port = ntohs(mine.sin_port);
    const auto ports = world.all_gather(std::vector<std::int64_t>{port});
    const std::size_t next = (rank_ + 1) % size_;
    next_ = address_of(hosts_[next], hosts_[next] == hosts_[rank_], ports[next]);
    std::random_device entropy;
    std::int64_t job[] = {static_cast<std::int64_t>((static_cast<std::uint64_t>(entropy()) << 32) | entropy())};
    world.broadcast(std::span<std::int64_t>(job));
    mine_.job = static_cast<std::uint64_t>(job[0]);
  }

  void watch() {
    double now = last_beat_ = steady_seconds();
    while (!done_) {
      look_at_myself(now);
      tell();
      const double before = now;
      listen(before + interval_);
      now = steady_seconds();
      // Stopped as a whole, this program included: nobody could have made progress.
      if (now - before > 2 * interval_ + 1) last_beat_ = heard_at_ = now, before_.still_for = 0;
      look_at_myself(now);
      judge(now);
    }
  }

  void look_at_myself(double now) {
    const auto heartbeat = read_heartbeat();
    if (heartbeat.beats != beats_) last_beat_ = now;
    beats_ = heartbeat.beats;
    waits_ = heartbeat.waits;
    mine_.still_for = now - last_beat_;
    std::strncpy(mine_.phase, heartbeat.phase, sizeof mine_.phase - 1);
    count_the_waiting();
  }

  void count_the_waiting() {
    const auto before = size_ > 1 ? before_.waiting : 0;
    mine_.waiting = waits_ && mine_.still_for > limit_ ? std::min<std::int64_t>(before, static_cast<std::int64_t>(size_)) + 1 : 0;
  }

  void tell() const {
    if (socket_ >= 0 && size_ > 1 && next_.sin_port != 0)
      (void)sendto(socket_, &mine_, sizeof mine_, MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&next_), sizeof next_);
  }

  /// Takes what comes in until it is time to look again; soon at the end of the program.
  void listen(double until) {
    constexpr double shortest_nap = 0.05;
    for (double now = steady_seconds(); now < until && !done_; now = steady_seconds()) {
      pollfd ready{socket_, POLLIN, 0};
      poll(&ready, socket_ >= 0 ? 1 : 0, static_cast<int>(1e3 * std::min(until - now, shortest_nap)) + 1);
      for (News news; socket_ >= 0 && recv(socket_, &news, sizeof news, 0) == static_cast<ssize_t>(sizeof news);) {
        if (news.job != mine_.job) continue;
        before_ = news;
        before_.phase[sizeof news.phase - 1] = '\0';
        heard_ = true;
        heard_at_ = steady_seconds();
        const auto told = mine_.waiting;
        count_the_waiting();
        if (mine_.waiting != told) tell();  // at once: what is told on the other side of the ring must not be long past
      }
    }
  }

  void judge(double now) const {
    const double turn = static_cast<double>(rank_) / static_cast<double>(size_);  // of several, the lowest speaks
    if (mine_.still_for <= limit_) return;
    if (!waits_ && mine_.still_for > limit_ + turn) end(rank_, mine_, "");
    if (!waits_) return;
    if (heard_ && now - heard_at_ > limit_) {
      auto last = before_;
      last.still_for += now - heard_at_;
      end(rank_before(), last, " and does not answer: it was stopped, or its node or the network is down");
    }
    if (rank_ == 0 && mine_.waiting >= static_cast<std::int64_t>(size_))
      end(rank_, mine_, ", nor has any other rank: all wait for each other");
    if (!heard_ && mine_.still_for > 2 * limit_ + turn)
      end(rank_, mine_,
          fmt::format(": it waits for another rank, which one cannot be told because datagrams do not get through from rank {}",
                      rank_before()));
  }

  [[noreturn]] void end(std::size_t culprit, const News& last, const std::string& more) const {
    const auto text = fmt::format(
        "boltzcurve: error: rank {} on {} has made no progress for {:.3g} s while {}{}; the job ends. --resume goes on from the last "
        "checkpoint; run.watchdog-seconds = {:.6g} is how long to wait, 0: for ever\n",
        culprit, hosts_[culprit], last.still_for, last.phase, more, limit_);
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
    end_job();
  }

  const std::size_t rank_, size_;
  const double limit_, interval_;
  const std::vector<std::string> hosts_;
  News mine_, before_;  // of this rank and of the one before it
  bool waits_ = false, heard_ = false;
  double heard_at_ = 0, last_beat_ = 0;
  std::uint64_t beats_ = 0;
  int socket_ = -1;
  sockaddr_in next_{};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

Watchdog::Watchdog(const Communicator& world, double seconds) : watch_(std::make_unique<Watch>(world, seconds)) {}
Watchdog::~Watchdog() = default;

}  // namespace boltzcurve

#include "energy/python_worker.hpp"
#include <boltzcurve/error.hpp>
#include "boltzcurve_python_worker.hpp"
#include "core/clock.hpp"
#include "core/heartbeat.hpp"
#include "energy/target_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace boltzcurve {
namespace {

// As in target.py.
constexpr int text_descriptor = 3, points_descriptor = 4, channel_descriptor = 5;
enum class Code : std::int64_t { ready, refused, done, failed };
constexpr std::int64_t energies_only = 0, with_gradient = 1;

constexpr std::size_t most_points = 4096, most_numbers = std::size_t{1} << 22;
constexpr double seconds_to_end = 5;  // of a process that was told to

/// An open descriptor, beyond those that the worker gets, so that handing one over overwrites none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int opened) {
    if (opened < 0) return;
    number_ = fcntl(opened, F_DUPFD_CLOEXEC, channel_descriptor + 1);
    close(opened);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  /// Throws Error where the system had none to give.
  int number() const {
    if (number_ < 0) throw Error(ExitCode::internal_error, fmt::format("no descriptor for a Python worker: {}", std::strerror(errno)));
    return number_;
  }

 private:
  int number_ = -1;
};

/// Memory as a file without a name.
Descriptor memory_file(const char* name, std::size_t bytes) {
  Descriptor file(memfd_create(name, MFD_CLOEXEC));
  if (ftruncate(file.number(), static_cast<off_t>(bytes)) != 0) throw std::bad_alloc();
  return file;
}

/// This process's environment without what makes MPI in a child take itself for this rank.
std::vector<char*> environment_without_mpi() {
  constexpr std::array<std::string_view, 11> of_launchers = {"OMPI_",  "PMIX_", "PMI_",  "PMI2_",  "PRTE_", "ORTE_",
                                                             "HYDRA_", "HYDI_", "MPIR_", "I_MPI_", "MV2_"};
  std::vector<char*> kept;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (std::none_of(of_launchers.begin(), of_launchers.end(),
                     [&](std::string_view prefix) { return std::string_view(*variable).starts_with(prefix); }))
      kept.push_back(*variable);
  kept.push_back(nullptr);
  return kept;
}

/// Numbers in such a file.
class SharedNumbers {
 public:
  SharedNumbers(const Descriptor& file, std::size_t count) : bytes_(sizeof(double) * count) {
    void* const mapped = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    numbers_ = static_cast<double*>(mapped);
  }
  ~SharedNumbers() { munmap(numbers_, bytes_); }
  SharedNumbers(const SharedNumbers&) = delete;
  SharedNumbers& operator=(const SharedNumbers&) = delete;

  std::span<double> part(std::size_t first, std::size_t count) const { return {numbers_ + first, count}; }

 private:
  std::size_t bytes_;
  double* numbers_;
};

struct Reply {
  Code code;
  std::string text;
};

}  // namespace

class PythonWorker::Process {
 public:
  explicit Process(Settings settings)
      : settings_(std::move(settings)),
        capacity_(std::clamp<std::size_t>(most_numbers / settings_.dimension, 1, most_points)),
        file_(memory_file("boltzcurve_points", sizeof(double) * count_of_numbers())),
        numbers_(file_, count_of_numbers()) {
    const std::string_view text = python_worker_text;
    const Descriptor program = memory_file("boltzcurve_worker", text.size());
    if (pwrite(program.number(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) throw std::bad_alloc();
    int ends[] = {-1, -1};
    (void)socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);  // a failure shows when they are used
    channel_ = Descriptor(ends[0]);
    const Descriptor of_worker(ends[1]);
    spawn({program.number(), file_.number(), of_worker.number()});
  }

  ~Process() {
    channel_ = Descriptor();  // a worker that waits for requests ends
    (void)wait_for_end();
  }

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  std::size_t capacity() const { return capacity_; }
  std::span<double> points() const { return numbers_.part(0, capacity_ * settings_.dimension); }
  std::span<const double> energies() const { return numbers_.part(capacity_ * settings_.dimension, capacity_); }
  std::span<const double> gradients() const {
    return numbers_.part(capacity_ * (settings_.dimension + 1), capacity_ * settings_.dimension);
  }
  const std::string& remark() const { return remark_; }

  void load() {
    const Phase phase("loading the target's Python function");
    Reply reply;
    try {
      reply = receive();
    } catch (const TargetError& error) {
      throw SettingError({"interpreter", fmt::format(" = {}: {}, before it had loaded the function: must be a Python from 3.8 on",
                                                     settings_.interpreter, error.what())});
    }
    if (reply.code != Code::ready) throw SettingError({"function", fmt::format(" = {}: {}", settings_.function, reply.text)});
    remark_ = std::move(reply.text);
  }

  void evaluate(std::size_t count, bool with_gradients) {
    const Phase phase("waiting for the target's Python function");
    const std::array<std::int64_t, 2> request = {static_cast<std::int64_t>(count), with_gradients ? with_gradient : energies_only};
    // A worker that has died shows when its reply is missed.
    (void)send(channel_.number(), request.data(), sizeof request, MSG_NOSIGNAL);
    const Reply reply = receive();
    if (reply.code != Code::done) throw TargetError("the target's Python function has failed: " + reply.text);
  }

 private:
  /// Throws SettingError where there is no such interpreter. The worker unblocks the signals once it ignores them.
  void spawn(const std::array<int, 3>& descriptors) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0 || posix_spawnattr_init(&attributes) != 0) throw std::bad_alloc();
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (int i = 0; i < 3; ++i) posix_spawn_file_actions_adddup2(&actions, descriptors[static_cast<std::size_t>(i)], text_descriptor + i);
    sigset_t blocked;
    sigemptyset(&blocked);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) sigaddset(&blocked, signal);
    posix_spawnattr_setsigmask(&attributes, &blocked);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

    std::vector<std::string> words = {settings_.interpreter,   fmt::format("/dev/fd/{}", text_descriptor), settings_.function,
                                      settings_.framework,     std::to_string(settings_.dimension),        std::to_string(capacity_),
                                      std::to_string(getpid())};
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    auto environment = environment_without_mpi();
    const int error = posix_spawnp(&process_, settings_.interpreter.c_str(), &actions, &attributes, arguments.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error == 0) return;
    process_ = -1;
    throw SettingError({"interpreter", fmt::format(" = {}: cannot start it: {}", settings_.interpreter, std::strerror(error))});
  }

  Reply receive() {
    std::array<std::int64_t, 2> head{};
    const double start = steady_seconds();
    receive(head.data(), sizeof head, start);
    Reply reply{static_cast<Code>(head[0]), std::string(static_cast<std::size_t>(head[1]), '\0')};
    receive(reply.text.data(), reply.text.size(), start);
    return reply;
  }

  void receive(void* to, std::size_t size, double start) {
    for (std::size_t have = 0; have < size;) {
      wait_for_reply(start);
      const ssize_t more = recv(channel_.number(), static_cast<char*>(to) + have, size - have, 0);
      if (more < 0 && errno == EINTR) continue;
      if (more <= 0) throw TargetError("the process of the target's Python function " + wait_for_end());
      have += static_cast<std::size_t>(more);
    }
  }

  /// Returns when there is something to read, also the end of the process.
  void wait_for_reply(double start) {
    for (;;) {
      const double left = settings_.timeout_seconds - (steady_seconds() - start);
      constexpr double longest_wait = 1e6;
      const int milliseconds = settings_.timeout_seconds > 0 ? static_cast<int>(1e3 * std::clamp(left, 0.0, longest_wait)) + 1 : -1;
      pollfd ready{channel_.number(), POLLIN, 0};
      const int found = poll(&ready, 1, milliseconds);
      if (found > 0) return;
      if (found == 0 && left <= 0) break;
    }
    signal_process(SIGABRT);  // shows on stderr where it is
    (void)wait_for_end();
    throw TargetError(fmt::format("the target's Python function has not returned for {:.6g} s (timeout-seconds): it was ended",
                                  settings_.timeout_seconds));
  }

  void signal_process(int signal) const {
    if (process_ > 0) kill(process_, signal);
  }

  /// How the process has ended, which it does soon, or is made to.
  std::string wait_for_end() {
    if (process_ <= 0) return "has ended";
    int status = 0;
    pid_t ended = 0;
    for (const double start = steady_seconds(); (ended = waitpid(process_, &status, WNOHANG)) == 0;) {
      if (steady_seconds() - start > seconds_to_end) signal_process(SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    process_ = -1;
    if (ended < 0) return "has ended";
    if (WIFSIGNALED(status)) return fmt::format("was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return fmt::format("has ended with exit code {}", WEXITSTATUS(status));
  }

  std::size_t count_of_numbers() const { return capacity_ * (2 * settings_.dimension + 1); }

  Settings settings_;
  std::size_t capacity_;
  Descriptor file_;
  SharedNumbers numbers_;
  Descriptor channel_;
  pid_t process_ = -1;
  std::string remark_;
};

PythonWorker::PythonWorker(const Settings& settings) : process_(std::make_unique<Process>(settings)) { process_->load(); }
PythonWorker::~PythonWorker() = default;

std::size_t PythonWorker::capacity() const { return process_->capacity(); }
std::span<double> PythonWorker::points() { return process_->points(); }
std::span<const double> PythonWorker::energies() const { return process_->energies(); }
std::span<const double> PythonWorker::gradients() const { return process_->gradients(); }
void PythonWorker::evaluate(std::size_t count, bool with_gradients) { process_->evaluate(count, with_gradients); }
const std::string& PythonWorker::remark() const { return process_->remark(); }

}  // namespace boltzcurve

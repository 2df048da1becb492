#include <support/process.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace boltzcurve::testing_support {
namespace {

std::string content_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

void redirect(const std::filesystem::path& file, int descriptor) {
  constexpr int owner_may_read_and_write = 0600;
  const int opened = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, owner_may_read_and_write);
  if (opened < 0 || dup2(opened, descriptor) < 0) _exit(126);
}

}  // namespace

Program::Program(const std::vector<std::string>& command, const std::filesystem::path& folder)
    : name_(command[0] + " in " + folder.string()), start_(std::chrono::steady_clock::now()) {
  const auto out = captured_.path() / "out", err = captured_.path() / "err";
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    setpgid(0, 0);
    redirect(out, STDOUT_FILENO);
    redirect(err, STDERR_FILENO);
    if (chdir(folder.c_str()) != 0) _exit(126);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
}

Program::~Program() {
  if (ended_) return;
  for (const int descendant : descendants("")) kill(descendant, SIGKILL);
  kill(pid_, SIGKILL);
  waitpid(pid_, &status_, 0);
}

bool Program::is_running() {
  if (!ended_) ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

void Program::send(int signal) const { kill(pid_, signal); }

std::vector<int> Program::descendants(const std::string& name) const {
  std::map<int, std::vector<int>> children;
  std::map<int, std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto text = entry.path().filename().string();
    if (text.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto stat = content_of(entry.path() / "stat");  // "PID (NAME) STATE PARENT ...", and NAME may hold anything
    const auto begin = stat.find('('), end = stat.rfind(')');
    if (begin == std::string::npos || end == std::string::npos) continue;
    char state = 0;
    int parent = 0;
    std::istringstream(stat.substr(end + 1)) >> state >> parent;
    children[parent].push_back(std::stoi(text));
    names[std::stoi(text)] = stat.substr(begin + 1, end - begin - 1);
  }
  std::vector<int> found, below = children[pid_];
  while (!below.empty()) {
    const int one = below.back();
    below.pop_back();
    if (name.empty() || names[one] == name) found.push_back(one);
    below.insert(below.end(), children[one].begin(), children[one].end());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<int> Program::ranks(const std::string& name) const {
  std::map<int, int> by_rank;
  for (const int descendant : descendants(name)) {
    std::istringstream environment(content_of("/proc/" + std::to_string(descendant) + "/environ"));
    const std::string key = "OMPI_COMM_WORLD_RANK=";
    for (std::string variable; std::getline(environment, variable, '\0');)
      if (variable.compare(0, key.size(), key) == 0) by_rank[std::stoi(variable.substr(key.size()))] = descendant;
  }
  std::vector<int> found;
  for (const auto& [rank, process] : by_rank) found.push_back(process);
  return found;
}

Outcome Program::wait() {
  while (!ended_) {
    ended_ = waitpid(pid_, &status_, 0) == pid_;
    if (!ended_ && errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
  const int exit_code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  if (exit_code == 126 || exit_code == 127) throw std::runtime_error("cannot start " + name_);
  return {exit_code, content_of(captured_.path() / "out"), content_of(captured_.path() / "err"), seconds.count()};
}

Outcome run_program(const std::vector<std::string>& command, const std::filesystem::path& folder) {
  return Program(command, folder).wait();
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "boltzcurve-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TemporaryFolder::write(const std::string& file, const std::string& text) const { std::ofstream(path_ / file) << text; }

}  // namespace boltzcurve::testing_support

#include <support/process.hpp>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
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

Outcome run_program(const std::vector<std::string>& command, const std::filesystem::path& folder) {
  const TemporaryFolder captured;
  const auto out = captured.path() / "out", err = captured.path() / "err";
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    redirect(out, STDOUT_FILENO);
    redirect(err, STDERR_FILENO);
    if (chdir(folder.c_str()) != 0) _exit(126);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (exit_code == 126 || exit_code == 127) throw std::runtime_error("cannot start " + command[0] + " in " + folder.string());
  return {exit_code, content_of(out), content_of(err), seconds.count()};
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

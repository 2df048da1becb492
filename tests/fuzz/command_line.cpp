// The command line: an argument a line.
#include "harness.hpp"

#include "app/options/request.hpp"

#include <string>
#include <vector>

using namespace boltzcurve;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<CommandDescription> commands = {{"train", "", "learn"}, {"list", "[TOPIC]", "show"}};
  std::vector<std::string> words = {"boltzcurve", ""};
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '\n')
      words.emplace_back();
    else
      words.back() += static_cast<char>(data[i] == 0 ? ' ' : data[i]);  // arguments hold no zeros
  }
  std::vector<const char*> arguments;
  for (const auto& word : words) {
    // Files of this machine are no input.
    if (word.find('/') != std::string::npos) return -1;
    arguments.push_back(word.c_str());
  }
  fuzzing::may_be_refused([&] {
    const Request request = parse_command_line(static_cast<int>(arguments.size()), arguments.data(), commands);
    (void)request.text();
    const Options options = resolve_options(request.sources);
    const auto again = parse_config(resolved_text(options), "resolved");
    fuzzing::require(resolve_options(std::span(&again, 1)) == options, "the resolved options are not read back as themselves");
  });
  return 0;
}

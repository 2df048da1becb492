// Stands in for libFuzzer in ordinary builds: runs a harness on its corpus, then on inputs made from it by chance, always the same ones.
//   HARNESS NUMBER_OF_INPUTS CORPUS_FOLDER
#include "harness.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

using Input = std::vector<std::uint8_t>;

std::mt19937_64 chance(1);

std::size_t below(std::size_t bound) { return bound == 0 ? 0 : chance() % bound; }

Input content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// One change: a bit, a byte, a part left out, moved in from another input, or repeated.
void change(Input& input, const Input& other) {
  const auto at = static_cast<std::ptrdiff_t>(below(input.size() + 1));
  const auto length = std::min(static_cast<std::ptrdiff_t>(1 + below(16)), std::ssize(input) - at);
  const auto place = input.begin() + at;
  switch (below(6)) {
    case 0:
      if (at < std::ssize(input)) *place ^= static_cast<std::uint8_t>(1U << below(8));
      break;
    case 1:
      if (at < std::ssize(input)) *place = static_cast<std::uint8_t>(chance());
      break;
    case 2:
      input.erase(place, place + length);
      break;
    case 3: {
      const auto from = static_cast<std::ptrdiff_t>(below(other.size() + 1));
      const auto taken = std::min(static_cast<std::ptrdiff_t>(1 + below(64)), std::ssize(other) - from);
      input.insert(place, other.begin() + from, other.begin() + from + taken);
      break;
    }
    case 4: {
      const Input part(place, place + length);
      input.insert(place, part.begin(), part.end());
      break;
    }
    default:
      if (below(20) == 0) input.resize(static_cast<std::size_t>(at));
  }
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s NUMBER_OF_INPUTS CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[2])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Input> corpus;
  for (const auto& file : files) {
    std::fprintf(stderr, "%s\n", file.c_str());  // the last one shown is the one to blame
    corpus.push_back(content_of(file));
    LLVMFuzzerTestOneInput(corpus.back().data(), corpus.back().size());
  }
  if (corpus.empty()) return 2;
  const long changed = std::atol(argv[1]);
  for (long i = 0; i < changed; ++i) {
    Input input = corpus[below(corpus.size())];
    for (auto changes = 1 + below(8); changes > 0; --changes) change(input, corpus[below(corpus.size())]);
    std::ofstream(std::string(argv[0]) + ".last_input", std::ios::binary)
        .write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%zu inputs of the corpus, %ld made from them: no findings\n", corpus.size(), changed);
  return 0;
}

#include "io/seal.hpp"
#include <boltzcurve/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace boltzcurve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string sealed(const std::string& text) {
  auto content = bytes_of(text);
  seal(content);
  return text_of(content);
}

// "123456789" is the string whose checksum catalogues of CRCs state: cbf43926.
TEST(Seal, IsALineWithTheNumberOfBytesAndTheirChecksum) {
  const std::string line = "boltzcurve: 00000000000000000009 bytes above, CRC-32 cbf43926\n";
  EXPECT_EQ(sealed("123456789"), "123456789" + line);
  EXPECT_EQ(line.size(), seal_bytes);
  EXPECT_EQ(sealed(""), "boltzcurve: 00000000000000000000 bytes above, CRC-32 00000000\n");
}

TEST(Seal, ComesOffAgainAndIsNotMissedWhereThereIsNone) {
  for (const std::string& text : {std::string(), std::string("123456789"), std::string(1000, '\0')})
    EXPECT_EQ(text_of(unsealed("a.h5", bytes_of(sealed(text)))), text);
  for (const std::string& text : {std::string(), std::string(1000, '\n'), std::string(seal_bytes - 1, 'b')})
    EXPECT_EQ(text_of(unsealed("a.h5", bytes_of(text))), text);
}

TEST(Seal, TellsEveryFlippedBitOfWhatItCovers) {
  const std::string text = "not a long file";
  const auto whole = sealed(text);
  for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
    auto damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT([&] { unsealed("out/a.h5", bytes_of(damaged)); },
                ThrowsMessage<InputError>(AllOf(HasSubstr("out/a.h5 is damaged: its checksum is "), HasSubstr(" over 15 bytes"),
                                                HasSubstr("its last line says 'boltzcurve: 00000000000000000015 bytes above, CRC-32 "),
                                                HasSubstr("for example a.previous.h5"))))
        << "bit " << bit;
  }
}

TEST(Seal, TellsBytesThatAreMissingOrTooMany) {
  const auto whole = sealed("123456789");
  for (const auto& damaged : {whole.substr(1), "0" + whole, whole.substr(0, 4) + whole.substr(5)})
    EXPECT_THROW(unsealed("a.h5", bytes_of(damaged)), InputError) << damaged;
}

// A bit of the line itself: either it is no line any more, and who reads the file decides, or it is not true.
TEST(Seal, ThatIsDamagedItselfGivesNothingWrong) {
  const std::string text = "123456789";
  const auto whole = sealed(text);
  for (std::size_t at = text.size(); at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    try {
      EXPECT_EQ(text_of(unsealed("a.h5", bytes_of(damaged))), damaged);
    } catch (const InputError&) {
      EXPECT_EQ(damaged.substr(text.size(), 12), "boltzcurve: ");
    }
  }
}

}  // namespace
}  // namespace boltzcurve

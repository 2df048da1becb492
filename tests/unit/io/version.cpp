#include <boltzcurve/version.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace boltzcurve {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

std::string text(std::string_view view) { return std::string(view); }

TEST(Version, IsMajorMinorPatch) { EXPECT_THAT(text(version()), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+")); }

// A commit (from six hexadecimal digits on), with a tag in front and "-dirty" behind where there are such, or the admission that none is
// known.
TEST(Version, GitDescriptionNamesACommitOrSaysThatItIsUnknown) {
  EXPECT_THAT(text(git_description()), MatchesRegex("unknown|v[0-9.]+(-dirty)?|(.*-g)?[0-9a-f]{6,40}(-dirty)?"));
}

TEST(Version, BuildFlagsAreOneLineThatNamesCompilerAndFlagsButNoWarnings) {
  const std::string flags = text(build_flags());
  EXPECT_THAT(flags, MatchesRegex("[A-Za-z]+ [0-9.]+ [A-Za-z]*: .*-fno-math-errno.*"));
  EXPECT_THAT(flags, Not(HasSubstr("-Wall")));
  EXPECT_THAT(flags, Not(HasSubstr("\n")));
}

// The library says of itself what its flags say; this file is compiled with the same ones.
TEST(Version, NativeVectorFlagsAgreeWithTheFlags) {
  if (text(build_flags()).find("-march=native") != std::string::npos) {
    EXPECT_TRUE(native_vector_flags());
  }
#if defined(__x86_64__) && !defined(__AVX__)
  if (text(build_flags()).find("native") == std::string::npos) {
    EXPECT_FALSE(native_vector_flags());
  }
#endif
}

}  // namespace
}  // namespace boltzcurve

#include "core/pattern.hpp"

#include <memory>
#include <stdexcept>

#include <regex.h>

namespace boltzcurve {

std::vector<std::string> groups_of(const std::string& text, const std::string& expression) {
  regex_t compiled;
  if (regcomp(&compiled, ("^(" + expression + ")$").c_str(), REG_EXTENDED) != 0)
    throw std::logic_error("not a regular expression: " + expression);
  const std::unique_ptr<regex_t, decltype(&regfree)> owner(&compiled, &regfree);
  std::vector<regmatch_t> found(compiled.re_nsub + 1);
  // A zero byte would end the text for regexec.
  if (text.find('\0') != std::string::npos || regexec(&compiled, text.c_str(), found.size(), found.data(), 0) != 0) return {};
  std::vector<std::string> groups;
  for (std::size_t i = 1; i < found.size(); ++i)  // [1] is the whole
    groups.push_back(found[i].rm_so < 0 ? ""
                                        : text.substr(static_cast<std::size_t>(found[i].rm_so),
                                                      static_cast<std::size_t>(found[i].rm_eo - found[i].rm_so)));
  return groups;
}

}  // namespace boltzcurve

#include "app/sweep/csv.hpp"

namespace boltzcurve {

std::vector<std::string> csv_record(const std::string& text, std::size_t& at) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char letter = text[at];
    if (quoted && letter == '"' && at + 1 < text.size() && text[at + 1] == '"')
      fields.back() += text[++at];
    else if (letter == '"')
      quoted = !quoted;
    else if (!quoted && letter == ',')
      fields.emplace_back();
    else if (!quoted && letter == '\n')
      return ++at, fields;
    else if (quoted || letter != '\r')
      fields.back() += letter;
  }
  return fields;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) line.append(i > 0 ? "," : "").append(csv_field(fields[i]));
  return line.append("\n");
}

}  // namespace boltzcurve

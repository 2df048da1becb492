#include "core/text.hpp"

#include <boltzcurve/error.hpp>
#include "energy/data_table.hpp"
#include "energy/gaussian_mixture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <istream>

namespace boltzcurve {
namespace {

using Fail = CsvFail;  // throws the right kind of error, with the place in front

// Bounds of lengths and of weights. Squares of lengths and their inverses are then numbers in single precision, too, and sums of weights
// in double.
constexpr double shortest = 1e-15, longest = 1e15, heaviest = 1e100;

/// A component from its numbers: one spread entry is the standard deviation, more are the upper triangle of the covariance.
GaussianComponent component_from(double weight, std::vector<double> mean, const std::vector<double>& spread, const Fail& fail) {
  const std::size_t dimension = mean.size();
  if (!(weight > 0 && weight <= heaviest))
    fail(fmt::format("weight = {}: must be > 0 and at most {}", format_real(weight), format_real(heaviest)));
  for (const double coordinate : mean) {
    if (!(std::fabs(coordinate) <= longest))
      fail(fmt::format("mean {}: must be between {} and {}", format_real(coordinate), format_real(-longest), format_real(longest)));
  }
  GaussianComponent component{weight, std::move(mean), {}};
  if (spread.size() == 1) {
    if (!(spread[0] >= shortest && spread[0] <= longest))
      fail(fmt::format("standard deviation = {}: must be between {} and {}", format_real(spread[0]), format_real(shortest),
                       format_real(longest)));
    component.covariance = {spread[0] * spread[0]};
    return component;
  }
  component.covariance.resize(dimension * dimension);
  std::size_t entry = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    for (std::size_t j = i; j < dimension; ++j, ++entry) {
      if (!(std::fabs(spread[entry]) <= longest * longest))
        fail(fmt::format("covariance {}: must be between {} and {}", format_real(spread[entry]), format_real(-longest * longest),
                         format_real(longest * longest)));
      component.covariance[i * dimension + j] = component.covariance[j * dimension + i] = spread[entry];
    }
  }
  return component;
}

enum class Spread { deviation, covariance };

struct Header {
  std::size_t dimension = 0;
  Spread spread = Spread::deviation;
  std::vector<std::string> columns;
};

/// The columns that a header with that many means and that spread must have.
Header expected_header(std::size_t dimension, Spread spread) {
  Header header{dimension, spread, {"weight"}};
  for (std::size_t d = 1; d <= dimension; ++d) header.columns.push_back("mean_" + std::to_string(d));
  if (spread == Spread::deviation) {
    header.columns.emplace_back("sd");
  } else {
    for (std::size_t i = 1; i <= dimension; ++i) {
      for (std::size_t j = i; j <= dimension; ++j) header.columns.push_back("cov_" + std::to_string(i) + std::to_string(j));
    }
  }
  return header;
}

Header parse_header(const std::string& line, const Fail& fail) {
  std::vector<std::string> names;
  std::size_t dimension = 0;
  bool covariance = false;
  for (const auto piece : split(line, ',')) {
    names.emplace_back(trimmed(piece));
    dimension += names.back().starts_with("mean_") ? 1 : 0;
    covariance = covariance || names.back().starts_with("cov_");
  }
  Header header = expected_header(std::max<std::size_t>(dimension, 1), covariance ? Spread::covariance : Spread::deviation);
  for (std::size_t c = 0; c < std::max(names.size(), header.columns.size()); ++c) {
    const std::string found = c < names.size() ? names[c] : "nothing", wanted = c < header.columns.size() ? header.columns[c] : "nothing";
    if (found != wanted) {
      fail(
          fmt::format("column {} of the header is {}, expected {} (weight,mean_1,...,mean_D,sd or weight,mean_1,...,mean_D,cov_11,cov_12,"
                      "...,cov_DD)",
                      c + 1, found, wanted));
    }
  }
  return header;
}

}  // namespace

std::vector<GaussianComponent> parse_gaussian_modes(std::istream& text, const std::string& file) {
  Header header;
  std::vector<GaussianComponent> components;
  read_csv(
      text, file, "mode",
      [&](const std::string& line, const Fail& fail) {
        header = parse_header(line, fail);
        return header.columns;
      },
      [&](const std::vector<double>& numbers, const Fail& fail) {
        const auto spread = numbers.begin() + 1 + static_cast<std::ptrdiff_t>(header.dimension);
        std::vector<double> entries(spread, numbers.end());
        if (header.spread == Spread::covariance && header.dimension == 1) {
          if (!(entries[0] > 0)) fail("the covariance is not positive definite");
          entries[0] = std::sqrt(entries[0]);
        }
        components.push_back(component_from(numbers[0], std::vector<double>(numbers.begin() + 1, spread), entries, fail));
        if (!is_positive_definite(components.back())) fail("the covariance is not positive definite");
      });
  return components;
}

std::vector<GaussianComponent> read_gaussian_modes(const std::filesystem::path& file) {
  auto text = open_csv(file);
  return parse_gaussian_modes(text, file.string());
}

GaussianComponent parse_gaussian_mode(const std::string& line, const std::string& name) {
  const Fail fail = [&](const std::string& what) -> void { throw SettingError({name, ": " + what}); };
  const auto parts = split(line, '|');
  if (parts.size() != 3) {
    fail("expected 'weight | mean_1 ... mean_D | standard deviation or upper triangle of the covariance', found '" + line + "'");
  }
  std::vector<double> numbers[3];
  for (std::size_t part = 0; part < 3; ++part) {
    if (has_commas_within(parts[part]))
      fail(fmt::format("'{}' has commas within what blanks separate: numbers have decimal points, as in 0.5", trimmed(parts[part])));
    for (const auto piece : split_list(parts[part])) {
      const auto number = parse_real(piece);
      if (!number) fail(fmt::format("'{}' is not a number", piece));
      numbers[part].push_back(*number);
    }
  }
  const std::size_t dimension = numbers[1].size(), triangle = dimension * (dimension + 1) / 2;
  if (numbers[0].size() != 1) fail("expected one weight before the first '|', found " + std::to_string(numbers[0].size()) + " numbers");
  if (dimension == 0) fail("expected the mean between the bars, found nothing");
  if (numbers[2].size() != 1 && numbers[2].size() != triangle) {
    fail("expected 1 standard deviation or " + std::to_string(triangle) + " entries of the covariance after a mean of " +
         std::to_string(dimension) + " numbers, found " + std::to_string(numbers[2].size()));
  }
  GaussianComponent component = component_from(numbers[0][0], numbers[1], numbers[2], fail);
  if (!is_positive_definite(component)) fail("the covariance is not positive definite");
  return component;
}

std::string format_gaussian_mode(const GaussianComponent& component) {
  const std::size_t dimension = component.mean.size();
  std::string text = format_real(component.weight) + " |";
  for (const double coordinate : component.mean) text.append(" ").append(format_real(coordinate));
  text += " |";
  if (component.covariance.size() == 1) return text.append(" ").append(format_real(std::sqrt(component.covariance[0])));
  for (std::size_t i = 0; i < dimension; ++i) {
    for (std::size_t j = i; j < dimension; ++j) {
      text.append(" ").append(format_real(component.covariance[i * dimension + j]));
    }
  }
  return text;
}

}  // namespace boltzcurve

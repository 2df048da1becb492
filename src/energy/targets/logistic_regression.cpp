#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "core/suggestion.hpp"
#include "core/text.hpp"
#include "energy/data_table.hpp"
#include "energy/vectorized_energy.hpp"
#include "energy/yes_or_no.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Posterior of the coefficients x of a logistic regression with responses y_n = 0, 1 and features u_n:
///
///     f(x) = sum over n of log(1 + exp(v_n . x))  [ + |x|^2/(2 s^2) + (D/2) log(2 pi s^2) ],      v_n = (1 - 2 y_n) u_n,
///
/// with r_n = 1/(1 + exp(-v_n . x)), its gradient is sum r_n v_n [+ x/s^2] and its Laplacian sum r_n (1 - r_n) |v_n|^2 [+ D/s^2]. One pass
/// over the rows, a few of them at a time, so that a coordinate is loaded and a component of the gradient stored once for all of those.
class LogisticRegression {
 public:
  static constexpr int block = 8;  ///< rows at a time

  /// `precision` is 1/s^2, 0 without a prior.
  LogisticRegression(const Rows& v, double precision)
      : dimension_(static_cast<int>(v.cols())),
        blocks_((static_cast<int>(v.rows()) + block - 1) / block),
        precision_(precision),
        table_float_(table<float>(v)),
        table_double_(table<double>(v)) {
    // rows of zeros, which fill the last block, count log 2 each
    const auto filled = static_cast<double>(blocks_ * block - v.rows());
    constant_ = -filled * std::numbers::ln2 + (precision > 0 ? 0.5 * dimension_ * std::log(2 * std::numbers::pi / precision) : 0);
  }

  KOKKOS_FUNCTION int dimension() const { return dimension_; }

  template <class Point, class Output>
  KOKKOS_FUNCTION void derivatives(const Point& x, const Output& out) const {
    using Scalar = typename Point::Scalar;
    using Real = typename Output::Real;
    constexpr bool slopes = Output::wanted != Wanted::value;
    const auto table = this->template table_of<Real>();

    Scalar square(0);
    for (int d = 0; d < dimension_; ++d) {
      const Scalar u = x(d);
      square += u * u;
      out.gradient(d, u * precision_);
    }
    Scalar value = square * (0.5 * precision_) + constant_, laplacian(precision_ * dimension_);
    for (int b = 0; b < blocks_; ++b) {
      const Real* rows = &table(b, 0);  // [D][block], then |v_n|^2 [block]
      Scalar terms[block];
      for (int n = 0; n < block; ++n) terms[n] = Scalar(0);
      for (int d = 0; d < dimension_; ++d) {
        const Scalar u = x(d);
        for (int n = 0; n < block; ++n) terms[n] += u * rows[d * block + n];
      }
      Scalar sum(0);
      for (int n = 0; n < block; ++n) {
        const Scalar e = exp(-fabs(terms[n])), all = e + 1;
        sum += fmax(terms[n], Scalar(0)) + log(all);
        if constexpr (slopes) {
          const Scalar inverse = Scalar(1) / all, smaller = e * inverse;
          laplacian += smaller * inverse * rows[dimension_ * block + n];
          terms[n] = select(terms[n] < Scalar(0), smaller, inverse);
        }
      }
      value += sum;
      if constexpr (slopes) {
        for (int d = 0; d < dimension_; ++d) {
          Scalar slope = out.stored_gradient(d);
          for (int n = 0; n < block; ++n) slope += terms[n] * rows[d * block + n];
          out.gradient(d, slope);
        }
      }
    }
    out.value(value);
    out.laplacian(laplacian);
  }

 private:
  template <class Real>
  using Table = Kokkos::View<const Real**, Kokkos::LayoutRight>;

  template <class Real>
  static Table<Real> table(const Rows& v) {
    const auto D = static_cast<std::size_t>(v.cols());
    const auto count = (static_cast<std::size_t>(v.rows()) + block - 1) / block;
    const Kokkos::View<Real**, Kokkos::LayoutRight> table("boltzcurve::regression", count, (D + 1) * block);
    const auto host = Kokkos::create_mirror_view(table);
    Kokkos::deep_copy(host, Real(0));
    for (Eigen::Index row = 0; row < v.rows(); ++row) {
      const auto b = static_cast<std::size_t>(row) / block, n = static_cast<std::size_t>(row) % block;
      for (std::size_t d = 0; d < D; ++d) host(b, d * block + n) = static_cast<Real>(v(row, static_cast<Eigen::Index>(d)));
      host(b, D * block + n) = static_cast<Real>(v.row(row).squaredNorm());
    }
    Kokkos::deep_copy(table, host);
    return table;
  }

  template <class Real>
  KOKKOS_FORCEINLINE_FUNCTION const auto& table_of() const {
    if constexpr (sizeof(Real) == sizeof(float)) {
      return table_float_;
    } else {
      return table_double_;
    }
  }

  int dimension_, blocks_;
  double precision_, constant_ = 0;
  Table<float> table_float_;
  Table<double> table_double_;
};

/// The mode by Newton's method with halved steps (f is convex), and a box of twelve deviations of the normal density with its curvature.
/// Throws SettingError where there is none, because no prior holds what the data do not.
EnergyFacts facts(const Rows& v, double precision) {
  const Eigen::Index D = v.cols();
  const auto value_at = [&](const Eigen::VectorXd& x) {
    double f = 0.5 * precision * x.squaredNorm();
    for (const double u : Eigen::VectorXd(v * x)) f += std::max(u, 0.0) + std::log1p(std::exp(-std::fabs(u)));
    return f;
  };
  const auto improper = [] {
    return SettingError({"prior-deviation",
                         " = 0: without a prior this density has no finite integral, because the data leave a combination "
                         "of coefficients free, or separate the responses: give a deviation > 0"});
  };
  Eigen::VectorXd x = Eigen::VectorXd::Zero(D), deviation;
  double value = value_at(x);
  for (int iteration = 0;; ++iteration) {
    const Eigen::ArrayXd r = 1 / (1 + (-(v * x).array()).exp());
    const Eigen::VectorXd gradient = v.transpose() * r.matrix() + precision * x;
    Eigen::MatrixXd hessian = v.transpose() * (r * (1 - r)).matrix().asDiagonal() * v;
    hessian.diagonal().array() += precision;
    const Eigen::LLT<Eigen::MatrixXd> factor(hessian);
    const Eigen::MatrixXd root = factor.matrixL();
    if (factor.info() != Eigen::Success || (root.diagonal().array().square() < 1e-10 * hessian.diagonal().array()).any() ||
        iteration == 100)
      throw improper();
    const Eigen::VectorXd step = factor.solve(gradient);
    if (gradient.dot(step) < 1e-20) {
      // where responses are separated, f is flat but the minimum still far
      if (step.cwiseAbs().maxCoeff() > 1e-6 * (1 + x.cwiseAbs().maxCoeff())) throw improper();
      deviation = factor.solve(Eigen::MatrixXd::Identity(D, D)).diagonal().array().sqrt();
      break;
    }
    double share = 1, next = value_at(x - step);
    const double rounding = 1e-12 * (1 + std::fabs(value));  // near the mode f does not tell steps apart
    for (; next > value + rounding && share > 1e-6; share /= 2) next = value_at(x - share / 2 * step);
    x -= share * step;
    value = next;
    if (x.cwiseAbs().maxCoeff() > 1e6) throw improper();
  }
  EnergyFacts known;
  known.modes = {{1, {x.begin(), x.end()}}};
  for (Eigen::Index d = 0; d < D; ++d) {
    known.domain.lower.push_back(x(d) - 12 * deviation(d));
    known.domain.upper.push_back(x(d) + 12 * deviation(d));
  }
  return known;
}

// --- data --------------------------------------------------------------------------------------------------------------------------

/// Distress of O-rings in 23 flights of the space shuttle, and the temperature at launch [F] (Dalal, Fowlkes, Hoadley, J. Am. Stat. Assoc.
/// 84, 1989).
DataTable o_rings() {
  const std::vector<double> temperature = {66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58},
                            distress = {0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1};
  DataTable table{{"distress", "temperature"}, {}};
  for (std::size_t n = 0; n < distress.size(); ++n) table.rows.push_back({distress[n], temperature[n]});
  return table;
}

DataTable table_of(const Parameters& parameters) {
  const bool file = parameters.has("data"), lines = parameters.has("row");
  if (file && lines) throw SettingError({"data", ": given beside row: must be the only one of both"});
  if (file) return read_data_table(parameters.text("data"));
  if (!lines) return o_rings();
  if (!parameters.has("columns")) throw SettingError({"columns", ": must name the numbers of a row"});
  DataTable table;
  const std::string names = parameters.text("columns");
  for (const auto name : split_list(names)) table.columns.emplace_back(name);
  for (const std::string& line : parameters.lines("row")) {
    table.rows.emplace_back();
    for (const auto piece : split_list(line)) {
      const auto number = parse_real(piece);
      if (!number) throw SettingError({"row", " " + std::to_string(table.rows.size()) + ": '" + std::string(piece) + "' is not a number"});
      table.rows.back().push_back(*number);
    }
    if (table.rows.back().size() != table.columns.size())
      throw SettingError({"row", " " + std::to_string(table.rows.size()) + ": has " + std::to_string(table.rows.back().size()) +
                                     " numbers, not one for each of the " + std::to_string(table.columns.size()) + " columns"});
  }
  return table;
}

Parameters::Values inline_data(Parameters::Values values, const std::filesystem::path& folder) {
  const auto data = values.find("data");
  if (data == values.end() || data->second.empty() || data->second[0].empty() || values.contains("row")) return values;
  const DataTable table = read_data_table(folder / data->second[0]);
  const auto joined = [](const auto& pieces, const auto& text) {
    std::string line;
    for (const auto& piece : pieces) line.append(line.empty() ? "" : " ").append(text(piece));
    return line;
  };
  std::vector<std::string> lines;
  for (const auto& row : table.rows) lines.push_back(joined(row, [](double number) { return format_real(number); }));
  values.erase(data);
  values["columns"] = {joined(table.columns, [](const std::string& name) { return name; })};
  values["row"] = lines;
  return values;
}

std::size_t response_column(const Parameters& parameters, const DataTable& table) {
  const std::string name = parameters.text("response");
  const auto found = std::find(table.columns.begin(), table.columns.end(), name);
  if (found != table.columns.end()) return static_cast<std::size_t>(found - table.columns.begin());
  if (name == "first") return 0;
  if (name == "last") return table.columns.size() - 1;
  throw SettingError({"response", " = " + name + ": there is no such column; did you mean " + nearest_name(name, table.columns) + "?"});
}

std::unique_ptr<Energy> make(const Parameters& parameters) {
  const DataTable table = table_of(parameters);
  const std::size_t response = response_column(parameters, table);
  const bool standardize = is_yes(parameters, "standardize"), intercept = is_yes(parameters, "intercept");
  const double deviation = parameters.real("prior-deviation");

  const auto N = static_cast<Eigen::Index>(table.rows.size());
  Rows v(N, static_cast<Eigen::Index>(table.columns.size()) - 1 + (intercept ? 1 : 0));
  if (v.cols() == 0) throw SettingError({"data", ": has no column beside the response, and intercept = no: there is nothing to fit"});
  Eigen::Index column = 0;
  if (intercept) v.col(column++).setOnes();
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c == response) continue;
    auto feature = v.col(column++);
    for (Eigen::Index n = 0; n < N; ++n) feature(n) = table.rows[static_cast<std::size_t>(n)][c];
    const double mean = feature.mean(), spread = std::sqrt((feature.array() - mean).square().mean());
    // a constant column stays what it is
    if (standardize && spread > 1e-12 * std::fabs(mean)) feature = (feature.array() - mean) / spread;
  }
  for (Eigen::Index n = 0; n < N; ++n) {
    const double y = table.rows[static_cast<std::size_t>(n)][response];
    if (y != 0 && y != 1)
      throw SettingError({"response", ": column " + table.columns[response] + " has " + format_real(y) + " in row " +
                                          std::to_string(n + 1) + ": must be 0 or 1 everywhere"});
    v.row(n) *= 1 - 2 * y;
  }
  const double precision = deviation > 0 ? 1 / (deviation * deviation) : 0;
  return make_vectorized_energy(LogisticRegression(v, precision), facts(v, precision));
}

}  // namespace

TargetEntry logistic_regression_target() {
  using Kind = ParameterSpec::Kind;
  return {"logistic-regression",
          "posterior of the coefficients of a logistic regression, data from a CSV file; 23 flights of the space shuttle by default",
          {{"data", Kind::text, "", "CSV file with a header: a response of 0 or 1, and features"},
           {"columns", Kind::text, "", "names of the numbers in a row, where data are rows"},
           {"row", Kind::text_lines, "", "one row of data: the numbers of its columns"},
           {"response", Kind::text, "first", "name of the column of the response, or first, or last"},
           {"standardize", Kind::text, "yes", "yes: features get mean 0 and deviation 1, but for constant ones; no: as they are"},
           {"intercept", Kind::text, "yes", "yes: a constant is the first of the features; no: the data have one, or need none"},
           {"prior-deviation", Kind::real, "1",
            "standard deviation of the normal prior of every coefficient; 0: none, the likelihood alone", 0, 1e6}},
          make,
          inline_data};
}

}  // namespace boltzcurve

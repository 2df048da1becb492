#include <boltzcurve/target.h>
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "energy/host_energy.hpp"
#include "energy/named_file.hpp"
#include "energy/shared_library.hpp"
#include "energy/target_error.hpp"

#include <array>
#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

// Targets from shared libraries with the C interface of <boltzcurve/target.h>.
namespace boltzcurve {
namespace {

constexpr const char* interface_name = "the interface of boltzcurve/target.h";
constexpr std::size_t message_size = 1024, name_size = 64;
constexpr std::int64_t max_dimension = 1'000'000;  // beyond any run; what is larger was not filled in

/// A text that a library writes into room that it is given.
template <std::size_t size>
class Text {
 public:
  char* data() { return room_.data(); }
  static constexpr std::size_t capacity() { return size; }
  std::string text() {
    room_.back() = '\0';
    return room_.data();
  }
  std::string or_words(const char* words) { return room_[0] == '\0' ? words : text(); }

 private:
  std::array<char, size> room_{};
};
using Message = Text<message_size>;

/// The functions of a library.
struct Functions {
  explicit Functions(const SharedLibrary& from)
      : version(from.get<decltype(boltzcurve_target_version)>("boltzcurve_target_version", interface_name)) {
    if (const auto found = version(); found != BOLTZCURVE_TARGET_VERSION)
      throw InputError(
          fmt::format("cannot use {} as a target: it was compiled for version {} of {}, this program has version {}; compile it "
                      "with the header of this program",
                      from.path().string(), found, interface_name, BOLTZCURVE_TARGET_VERSION));
    create = from.get<decltype(boltzcurve_target_create)>("boltzcurve_target_create", interface_name);
    destroy = from.get<decltype(boltzcurve_target_destroy)>("boltzcurve_target_destroy", interface_name);
    describe = from.get<decltype(boltzcurve_target_describe)>("boltzcurve_target_describe", interface_name);
    evaluate = from.get<decltype(boltzcurve_target_evaluate)>("boltzcurve_target_evaluate", interface_name);
    name = from.find<decltype(boltzcurve_target_name)>("boltzcurve_target_name");
    box = from.find<decltype(boltzcurve_target_box)>("boltzcurve_target_box");
  }

  decltype(&boltzcurve_target_version) version;
  decltype(&boltzcurve_target_create) create = nullptr;
  decltype(&boltzcurve_target_destroy) destroy = nullptr;
  decltype(&boltzcurve_target_describe) describe = nullptr;
  decltype(&boltzcurve_target_evaluate) evaluate = nullptr;
  decltype(&boltzcurve_target_name) name = nullptr;
  decltype(&boltzcurve_target_box) box = nullptr;
};

using Target = std::unique_ptr<boltzcurve_target, decltype(&boltzcurve_target_destroy)>;

Target create(const Functions& functions, const SharedLibrary& library, const std::string& options, const std::string& folder) {
  const KeepFloatingPoint keep;  // it may load others
  boltzcurve_target* made = nullptr;
  Message message;
  const int failed = functions.create(options.c_str(), folder.c_str(), &made, message.data(), Message::capacity());
  if (failed || !made)
    throw SettingError({"path", fmt::format(" = {}: the library refuses to make a target of ", library.path().string()), "options",
                        fmt::format(" = {}: {}", options, message.or_words("it does not say why"))});
  return {made, functions.destroy};
}

HostEnergy::Facts describe(const Functions& functions, const SharedLibrary& library, const boltzcurve_target* target) {
  const auto fail = [&](const std::string& what) {
    throw InputError(fmt::format("cannot use {} as a target: {}", library.path().string(), what));
  };
  boltzcurve_target_facts facts{};
  facts.bytes = sizeof facts;
  if (functions.describe(target, &facts) != 0) fail("its boltzcurve_target_describe reports an error");
  if (facts.dimension < 1 || facts.dimension > max_dimension)
    fail(fmt::format("boltzcurve_target_describe gives dimension = {}; must be from 1 to {}", facts.dimension, max_dimension));
  constexpr std::uint32_t needed = BOLTZCURVE_VALUE | BOLTZCURVE_GRADIENT;
  if ((facts.can & needed) != needed)
    fail(fmt::format("boltzcurve_target_describe gives can = {}; must have both BOLTZCURVE_VALUE and BOLTZCURVE_GRADIENT", facts.can));
  if (facts.digits != 53 && facts.digits != 24)
    fail(fmt::format("boltzcurve_target_describe gives digits = {}; must be 53 (double) or 24 (float)", facts.digits));

  HostEnergy::Facts known{.dimension = static_cast<int>(facts.dimension)};
  known.digest = library.digest();
  known.single_precision = facts.digits == 24;
  if (facts.batch != 0) known.batch = std::abs(facts.batch);
  known.exact_batches = facts.batch < 0;
  const auto D = static_cast<std::size_t>(facts.dimension);
  if (functions.box) {
    auto& [lower, upper] = known.domain;
    lower.assign(D, std::nan(""));
    upper = lower;
    if (functions.box(target, lower.data(), upper.data()) != 0) fail("its boltzcurve_target_box reports an error");
    for (std::size_t k = 0; k < D; ++k)
      if (!(lower[k] < upper[k])) fail(fmt::format("boltzcurve_target_box gives x{} from {} to {}; must rise", k + 1, lower[k], upper[k]));
  }
  for (std::size_t k = 0; k < D && functions.name; ++k) {
    Text<name_size> name;
    if (functions.name(target, static_cast<std::int64_t>(k), name.data(), name_size) != 0 || name.text().empty())
      fail(fmt::format("its boltzcurve_target_name has no name for coordinate {}", k));
    known.coordinate_names.push_back(name.text());
  }
  return known;
}

class LibraryEnergy final : public HostEnergy {
 public:
  LibraryEnergy(const SharedLibrary& library, const Functions& functions, Target target)
      : HostEnergy(describe(functions, library, target.get())),
        library_(library),
        evaluate_(functions.evaluate),
        target_(std::move(target)) {}

 private:
  void evaluate_rows(std::span<const double> x, std::span<double> value, std::span<double> gradient) const override {
    Message message;
    const bool with_gradient = !gradient.empty();
    const int failed = evaluate_(target_.get(), static_cast<std::int64_t>(value.size()), x.data(),
                                 with_gradient ? BOLTZCURVE_VALUE | BOLTZCURVE_GRADIENT : BOLTZCURVE_VALUE, value.data(),
                                 with_gradient ? gradient.data() : nullptr, 0, nullptr, nullptr, message.data(), Message::capacity());
    if (failed)
      throw TargetError(fmt::format("target {} ends the run: {}", library_.path().string(), message.or_words("it does not say why")));
  }

  SharedLibrary library_;
  decltype(&boltzcurve_target_evaluate) evaluate_;
  Target target_;
};

Parameters::Values with_whole_paths(Parameters::Values values, const std::filesystem::path& folder) {
  make_absolute(values, "path", folder);
  if (const auto file = values.find("options-file"); file != values.end() && !file->second[0].empty()) {
    if (values.contains("options")) throw SettingError({"options-file", ": given beside ", "options", ": must be the only one of both"});
    values["options"] = {read_json(folder / file->second[0])};
    values.erase(file);
  }
  if (values.contains("options") && !values.contains("folder")) values["folder"] = {folder.empty() ? "." : folder.string()};
  make_absolute(values, "folder", folder);
  return values;
}

std::unique_ptr<Energy> make(const Parameters& parameters) {
  if (!parameters.has("path")) throw SettingError({"path", ": must name the shared library, for example mine.so"});
  const std::string options = parameters.text("options");
  require_json_object("options", options);
  const SharedLibrary library(std::filesystem::absolute(parameters.text("path")));
  const Functions functions(library);
  const auto folder = parameters.has("folder") ? parameters.text("folder") : library.path().parent_path().string();
  return std::make_unique<LibraryEnergy>(library, functions, create(functions, library, options, folder));
}

}  // namespace

TargetEntry library_target() {
  using Kind = ParameterSpec::Kind;
  return {"library",
          "a density of your own from a shared library, in C or any language with C functions (boltzcurve/target.h)",
          {{.key = "path", .kind = Kind::text, .default_text = "", .meaning = "the shared library", .names_code = true},
           {"options", Kind::text, "{}", "JSON object that the library is given"},
           {"options-file", Kind::text, "", "file with that JSON object, which may hold what a configuration's values cannot (; and #)"},
           {"folder", Kind::text, "", "where relative names in the options start; that of the configuration that gives the options"}},
          make,
          with_whole_paths};
}

}  // namespace boltzcurve

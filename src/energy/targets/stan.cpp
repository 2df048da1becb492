#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "core/text.hpp"
#include "energy/host_energy.hpp"
#include "energy/named_file.hpp"
#include "energy/shared_library.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include <fmt/format.h>

// Posteriors of Stan models, compiled by BridgeStan 2.x: its C interface, as its header bridgestan.h declares it.
namespace boltzcurve {
namespace {

struct Model;  // bs_model

constexpr const char* interface_name = "BridgeStan's C interface";
constexpr int known_major_version = 2;
constexpr unsigned seed_of_transformed_data = 1;
constexpr bool all_constants = false;  // of `propto`: log Z is the log evidence
constexpr bool with_jacobian = true;   // the density of the unconstrained parameters

void forget(const char*, std::size_t) {}

/// The functions of a compiled model that are used here.
struct Functions {
  explicit Functions(const SharedLibrary& from) {
    const auto path = from.path().string();
    const auto* const major = from.find<const int>("bs_major_version");
    if (!major && from.find<void()>("bs_construct"))
      throw InputError(fmt::format("cannot use {} as a model: BridgeStan 1.x compiled it; compile it again with 2.x", path));
    if (!major)
      throw InputError(fmt::format("cannot use {} as a model: it has no bs_major_version, which is part of {}", path, interface_name));
    if (*major != known_major_version)
      throw InputError(
          fmt::format("cannot use {} as a model: BridgeStan {}.x compiled it, this program knows {}.x", path, *major, known_major_version));
    construct = from.get<Construct>("bs_model_construct", interface_name);
    destruct = from.get<Destruct>("bs_model_destruct", interface_name);
    free_error = from.get<FreeError>("bs_free_error_msg", interface_name);
    names = from.get<Names>("bs_param_unc_names", interface_name);
    count = from.get<Count>("bs_param_unc_num", interface_name);
    density = from.get<Density>("bs_log_density", interface_name);
    gradient = from.get<Gradient>("bs_log_density_gradient", interface_name);
    set_print = from.get<SetPrint>("bs_set_print_callback", interface_name);
  }

  using Construct = Model*(const char* data, unsigned seed, char** error);
  using Destruct = void(Model*);
  using FreeError = void(char*);
  using Names = const char*(const Model*);
  using Count = int(const Model*);
  using Density = int(const Model*, bool propto, bool jacobian, const double* x, double* log_density, char** error);
  using Gradient = int(const Model*, bool propto, bool jacobian, const double* x, double* log_density, double* gradient, char** error);
  using SetPrint = int(void (*print)(const char*, std::size_t), char** error);

  Construct* construct = nullptr;
  Destruct* destruct = nullptr;
  FreeError* free_error = nullptr;
  Names* names = nullptr;
  Count* count = nullptr;
  Density* density = nullptr;
  Gradient* gradient = nullptr;
  SetPrint* set_print = nullptr;
};

using OwnedModel = std::unique_ptr<Model, Functions::Destruct*>;

OwnedModel construct(const Functions& functions, const SharedLibrary& library, const std::string& data) {
  const KeepFloatingPoint keep;
  functions.set_print(forget, nullptr);  // models that print would write into each other's lines
  char* error = nullptr;
  OwnedModel model(functions.construct(data.c_str(), seed_of_transformed_data, &error), functions.destruct);
  if (model) return model;
  std::string words = error ? error : "it does not say why";
  if (error) functions.free_error(error);
  for (char& letter : words)
    if (letter == '\n') letter = ' ';
  throw SettingError({"model", fmt::format(" = {}: the model does not take ", library.path().string()), "data",
                      fmt::format(" = {}: {}", data.empty() ? "nothing" : data, trimmed(words))});
}

HostEnergy::Facts describe(const Functions& functions, const SharedLibrary& library, const Model* model) {
  HostEnergy::Facts facts{.dimension = functions.count(model), .digest = library.digest()};
  if (facts.dimension < 1) throw InputError(fmt::format("cannot use {} as a model: it has no parameters", library.path().string()));
  for (const auto name : split(functions.names(model), ',')) facts.coordinate_names.emplace_back(name);
  return facts;
}

/// The negative log density of a model's unconstrained parameters. An exception in a model rejects the point, as in Stan's own samplers.
class StanEnergy final : public HostEnergy {
 public:
  StanEnergy(const SharedLibrary& library, const Functions& functions, OwnedModel model)
      : HostEnergy(describe(functions, library, model.get())),
        density_(functions.density),
        gradient_(functions.gradient),
        model_(std::move(model)) {}

 private:
  void evaluate_rows(std::span<const double> x, std::span<double> value, std::span<double> gradient) const override {
    const auto D = static_cast<std::size_t>(dimension());
    for (std::size_t i = 0; i < value.size(); ++i) {
      double log_density = 0;
      const int failed = gradient.empty()
                             ? density_(model_.get(), all_constants, with_jacobian, &x[i * D], &log_density, nullptr)
                             : gradient_(model_.get(), all_constants, with_jacobian, &x[i * D], &log_density, &gradient[i * D], nullptr);
      value[i] = failed != 0 ? std::numeric_limits<double>::infinity() : -log_density;
      for (std::size_t k = i * D; k < (i + 1) * D && !gradient.empty(); ++k) gradient[k] = -gradient[k];
    }
  }

  Functions::Density* density_;
  Functions::Gradient* gradient_;
  OwnedModel model_;
};

Parameters::Values with_whole_paths(Parameters::Values values, const std::filesystem::path& folder) {
  make_absolute(values, "model", folder);
  make_absolute(values, "data", folder);
  return values;
}

std::unique_ptr<Energy> make(const Parameters& parameters) {
  if (!parameters.has("model")) throw SettingError({"model", ": must name the compiled model, for example eight_schools_model.so"});
  const auto data = parameters.has("data") ? parameters.text("data") : std::string();
  if (!data.empty()) {
    if (!data.ends_with(".json")) throw SettingError({"data", fmt::format(" = {}: must be a file whose name ends in .json", data)});
    read_json(data);  // whose words about a broken file are clearer than the model's
  }
  const SharedLibrary library(std::filesystem::absolute(parameters.text("model")));
  const Functions functions(library);
  return std::make_unique<StanEnergy>(library, functions, construct(functions, library, data));
}

}  // namespace

TargetEntry stan_target() {
  using Kind = ParameterSpec::Kind;
  return {"stan",
          "posterior of a Stan model, compiled with BridgeStan 2.x, in its unconstrained parameters; log Z is the log evidence",
          {{.key = "model", .kind = Kind::text, .default_text = "", .meaning = "the compiled model, NAME_model.so", .names_code = true},
           {"data", Kind::text, "", "JSON file with the model's data; empty: it needs none"}},
          make,
          with_whole_paths};
}

}  // namespace boltzcurve

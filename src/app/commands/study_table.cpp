#include "app/commands/study_table.hpp"
#include "io/durable_file.hpp"

namespace boltzcurve {

void write_study(const Run& run, const std::string& study, const std::vector<const Table*>& tables) {
  on_root(run.world(), [&] {
    write_tables(run.output(study + ".h5"), run.provenance(), "boltzcurve study", tables);
    for (const auto* table : tables) replace_file(run.output(table->name + ".csv"), table->csv());
  });
}

}  // namespace boltzcurve

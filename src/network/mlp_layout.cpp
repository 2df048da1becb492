#include "network/mlp_layout.hpp"

namespace boltzcurve {

template <class Real>
void pack_weights(const MlpLayout& layout, Kokkos::View<const double*> parameters, Kokkos::View<Real*> packed) {
  const int width = layout.shape.width, padded = layout.padded_width, inputs = layout.shape.inputs, last = layout.shape.hidden_layers;
  // A row of the padded network at a time; rows and columns beyond the true width are zero.
  std::int64_t offset = 0;
  for (int layer = 0; layer <= last; ++layer) {
    const int rows = layer == last ? layout.shape.outputs : padded, columns = layer == 0 ? inputs : padded;
    const int true_rows = layer == last ? rows : width, true_columns = layer == 0 ? inputs : width;
    const std::int64_t weight = offset, bias = offset + std::int64_t{true_rows} * true_columns;
    offset = bias + true_rows;
    Kokkos::parallel_for(
        "boltzcurve::pack_weights", rows, KOKKOS_LAMBDA(const int row) {
          const bool true_row = row < true_rows;
          for (int column = 0; column < columns; ++column) {
            const Real w = true_row && column < true_columns
                               ? static_cast<Real>(parameters(weight + std::int64_t{row} * true_columns + column))
                               : Real(0);
            if (layer == 0) {
              packed(std::int64_t{column} * padded + row) = w;
            } else if (layer == last) {
              packed(layout.output(row) + column) = w;
            } else {
              packed(layout.forward(layer) + layout.blocked(row, column)) = w;
              packed(layout.backward(layer) + layout.blocked(column, row)) = w;
            }
          }
          const Real b = true_row ? static_cast<Real>(parameters(bias + row)) : Real(0);
          const std::int64_t place = layer == 0 ? layout.first_bias() : layer == last ? layout.output_bias() : layout.bias(layer);
          packed(place + row) = b;
        });
  }
}

template void pack_weights<float>(const MlpLayout&, Kokkos::View<const double*>, Kokkos::View<float*>);
template void pack_weights<double>(const MlpLayout&, Kokkos::View<const double*>, Kokkos::View<double*>);

}  // namespace boltzcurve

/* A density of your own in C: a normal bent along a parabola, f(x, y) = x^2 / 2 + (y - bend x^2)^2 / 2. Its log Z is log(2 pi) = 1.837877.
 *
 *   cc -O2 -fPIC -shared -I PREFIX/include own_target.c -o own_target.so */
#include <boltzcurve/target.h>
#include <stdio.h>
#include <stdlib.h>

struct boltzcurve_target {
  double bend;
};

uint32_t boltzcurve_target_version(void) { return BOLTZCURVE_TARGET_VERSION; }

int boltzcurve_target_create(const char* options, const char* folder, boltzcurve_target** made, char* message, size_t message_size) {
  (void)folder, (void)message, (void)message_size;
  *made = malloc(sizeof **made);
  if (*made && sscanf(options, "{ \"bend\" : %lf }", &(*made)->bend) != 1) (*made)->bend = 0.5;
  return *made == NULL;
}

void boltzcurve_target_destroy(boltzcurve_target* target) { free(target); }

int boltzcurve_target_describe(const boltzcurve_target* target, boltzcurve_target_facts* facts) {
  (void)target;
  facts->can = BOLTZCURVE_VALUE | BOLTZCURVE_GRADIENT;
  facts->threads = BOLTZCURVE_ANY_THREAD;
  facts->digits = 53;
  facts->dimension = 2;
  facts->batch = 0;
  return 0;
}

int boltzcurve_target_evaluate(boltzcurve_target* target, int64_t n, const double* x, uint32_t wanted, double* value, double* gradient,
                               int64_t directions, const double* direction, double* second, char* message, size_t message_size) {
  (void)directions, (void)direction, (void)second, (void)message, (void)message_size;
  for (int64_t i = 0; i < n; ++i) {
    const double u = x[2 * i], across = x[2 * i + 1] - target->bend * u * u;
    value[i] = (u * u + across * across) / 2;
    if (wanted & BOLTZCURVE_GRADIENT) {
      gradient[2 * i] = u - 2 * target->bend * u * across;
      gradient[2 * i + 1] = across;
    }
  }
  return 0;
}

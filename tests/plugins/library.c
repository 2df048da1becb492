/* A normal density with the interface of boltzcurve/target.h, and what libraries can do wrong. Options, all of them optional:
 *   {"scale": 1.5}   standard deviation of all three coordinates; else 1, or as it was compiled
 *   {"fault": NAME}  one of the names that faults() asks for below */
#include <boltzcurve/target.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef VERSION
#define VERSION BOLTZCURVE_TARGET_VERSION
#endif
#ifndef DEFAULT_SCALE
#define DEFAULT_SCALE 1
#endif

struct boltzcurve_target {
  double scale;
  char options[256];
};

static int faults(const boltzcurve_target* target, const char* name) { return strstr(target->options, name) != NULL; }

uint32_t boltzcurve_target_version(void) { return VERSION; }

#ifndef WITHOUT_CREATE
int boltzcurve_target_create(const char* options, const char* folder, boltzcurve_target** made, char* message, size_t message_size) {
  boltzcurve_target* target = calloc(1, sizeof *target);
  const char* scale = strstr(options, "\"scale\":");
  if (!target) return 1;
  snprintf(target->options, sizeof target->options, "%s", options);
  target->scale = scale ? atof(scale + strlen("\"scale\":")) : DEFAULT_SCALE;
  if (!(target->scale > 0)) {
    snprintf(message, message_size, "scale = %g: must be positive", target->scale);
    free(target);
    return 1;
  }
  if (faults(target, "silent") || (faults(target, "folder") && folder[0] != '/')) {
    free(target);
    return 1;
  }
  *made = target;
  return 0;
}
#endif

void boltzcurve_target_destroy(boltzcurve_target* target) { free(target); }

int boltzcurve_target_describe(const boltzcurve_target* target, boltzcurve_target_facts* facts) {
  facts->can = BOLTZCURVE_VALUE | (faults(target, "no-gradient") ? 0 : BOLTZCURVE_GRADIENT);
  facts->threads = BOLTZCURVE_ONE_THREAD;
  facts->digits = faults(target, "digits") ? 11 : faults(target, "float") ? 24 : 53;
  facts->dimension = faults(target, "dimension") ? 0 : 3;
  facts->batch = faults(target, "exact") ? -8 : 0;
  return faults(target, "describe");
}

int boltzcurve_target_evaluate(boltzcurve_target* target, int64_t n, const double* x, uint32_t wanted, double* value, double* gradient,
                               int64_t directions, const double* direction, double* second, char* message, size_t message_size) {
  const double precision = 1 / (target->scale * target->scale);
  int64_t i, d;
  if (faults(target, "fails") || (faults(target, "exact") && n != 8) || directions != 0 || direction || second) {
    snprintf(message, message_size, "no licence for %d points", (int)n);
    return 1;
  }
  for (i = 0; i < n; ++i) {
    value[i] = faults(target, "nan") ? NAN : 0;
    for (d = 0; d < 3; ++d) {
      const double coordinate = faults(target, "float") ? (float)x[3 * i + d] : x[3 * i + d];
      value[i] += 0.5 * precision * coordinate * coordinate;
      if (wanted & BOLTZCURVE_GRADIENT) gradient[3 * i + d] = precision * coordinate;
    }
  }
  return 0;
}

#ifndef WITHOUT_OPTIONAL
int boltzcurve_target_name(const boltzcurve_target* target, int64_t coordinate, char* name, size_t size) {
  snprintf(name, size, "axis.%d", (int)coordinate + 1);
  return faults(target, "names");
}

int boltzcurve_target_box(const boltzcurve_target* target, double* lower, double* upper) {
  int d;
  for (d = 0; d < 3; ++d) {
    lower[d] = faults(target, "box") ? 1 : -8 * target->scale;
    upper[d] = faults(target, "box") ? -1 : 8 * target->scale;
  }
  return 0;
}
#endif

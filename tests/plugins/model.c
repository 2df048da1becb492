/* What BridgeStan 2.x makes of a model, with a density that is known: log density = -0.7 - sum of squares / 2 of x = (mu, log_tau.1,
 * log_tau.2), with what models can do: an exception where mu > 5, -inf (with a finite gradient) where mu < -5, NaN where log_tau.1 > 5. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef MAJOR
#define MAJOR 2
#endif

#if MAJOR == 1
void* bs_construct(char* data, unsigned seed, unsigned chain) { return seed == chain ? NULL : data; }
#else
typedef struct bs_model bs_model;
struct bs_model {
  int parameters;
};

static void (*print)(const char*, size_t) = NULL;

static char* copy_of(const char* text) {
  char* const made = malloc(strlen(text) + 1);
  return made ? strcpy(made, text) : NULL;
}

const int bs_major_version = MAJOR, bs_minor_version = 7, bs_patch_version = 0;

int bs_set_print_callback(void (*callback)(const char*, size_t), char** error) {
  (void)error;
  print = callback;
  return 0;
}

bs_model* bs_model_construct(const char* data, unsigned seed, char** error) {
  bs_model* model;
  (void)seed;
  if (print)
    print("constructing\n", 13);
  else
    printf("constructing\n");
  if (strstr(data, "refused")) {
    if (error) *error = copy_of("Exception: variable does not exist;\nprocessing stage=data initialization; variable name=N");
    return NULL;
  }
  model = malloc(sizeof *model);
  if (model) model->parameters = strstr(data, "empty") ? 0 : 3;
  return model;
}

void bs_model_destruct(bs_model* model) { free(model); }
void bs_free_error_msg(char* error) { free(error); }
const char* bs_param_unc_names(const bs_model* model) { return model->parameters ? "mu,log_tau.1,log_tau.2" : ""; }
int bs_param_unc_num(const bs_model* model) { return model->parameters; }

#ifndef WITHOUT_GRADIENT
int bs_log_density_gradient(const bs_model* model, bool propto, bool jacobian, const double* x, double* value, double* gradient,
                            char** error) {
  int d;
  if (x[0] > 5) {
    if (error) *error = copy_of("normal_lpdf: Location parameter is inf");
    return -1; /* and the outputs are left alone */
  }
  *value = propto ? 0 : -0.7;
  if (!jacobian) *value += 100;
  for (d = 0; d < model->parameters; ++d) {
    *value -= 0.5 * x[d] * x[d];
    if (gradient) gradient[d] = -x[d];
  }
  if (x[0] < -5) *value = -INFINITY;
  if (x[1] > 5) *value = NAN;
  return 0;
}

int bs_log_density(const bs_model* model, bool propto, bool jacobian, const double* x, double* value, char** error) {
  return bs_log_density_gradient(model, propto, jacobian, x, value, NULL, error);
}
#endif
#endif

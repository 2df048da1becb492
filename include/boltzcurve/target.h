/* A target density in a shared library, for `target.name = library`: the C interface, version 1.
 *
 * The library exports the functions below, with C linkage. It needs nothing of boltzcurve but this file, may be written in any language
 * that can export C functions, and is compiled and linked as usual, for example: cc -O2 -fPIC -shared -o mine.so mine.c -lm
 *
 * Rules
 *  - The density is exp(-f): f is in nats, up to a constant of your choice. log Z that the program reports contains that constant.
 *  - A point's results depend on the point alone: not on how many points are asked for at once, on its place among them or on what came
 *    before. Runs then have the same bits on any number of ranks.
 *  - All points x in R^D may be asked for. f = +INFINITY says that the density is zero there. f = NAN, or a gradient that is not finite, says
 *    "cannot tell": the density counts as zero, and such points are counted and reported.
 *  - Functions that return int return 0, or anything else after an error: then `message` (up to `message_size` characters with the zero at
 *    the end) should say what went wrong. The run ends with it.
 *  - Every MPI rank loads the library. Do not call MPI, exit(), or signal handlers, do not write to the standard output, and do not let
 *    C++ exceptions out.
 *  - Only one thread of a process calls, one call after another.
 *
 * Fortran: boltzcurve_target_evaluate's gradient [n][D], row by row, is an array gradient(D, n).
 */
#ifndef BOLTZCURVE_TARGET_H
#define BOLTZCURVE_TARGET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows when libraries must be compiled anew. Programs refuse libraries of another version, naming both. */
#define BOLTZCURVE_TARGET_VERSION 1u

/* Whatever you need to evaluate the density; yours to define. */
typedef struct boltzcurve_target boltzcurve_target;

/* What boltzcurve_target_evaluate() can do and is asked for: any of them together. */
enum { BOLTZCURVE_VALUE = 1, BOLTZCURVE_GRADIENT = 2, BOLTZCURVE_SECOND = 4 };

/* Calls that may be made at the same time: one in the process; one for each boltzcurve_target; any. */
enum { BOLTZCURVE_ONE_THREAD = 0, BOLTZCURVE_THREAD_EACH = 1, BOLTZCURVE_ANY_THREAD = 2 };

typedef struct {
  uint32_t bytes;    /* set by the program: size of its struct; write no further */
  uint32_t can;      /* BOLTZCURVE_VALUE | BOLTZCURVE_GRADIENT, which are needed, and | BOLTZCURVE_SECOND */
  uint32_t threads;  /* one of the above */
  uint32_t digits;   /* binary digits of the arithmetic: 53 of double, 24 of float */
  int64_t dimension; /* D, at least 1 */
  int64_t batch;     /* points of a call: 0: any number; > 0: that many at most; < 0: exactly -batch, the program repeats the last point */
} boltzcurve_target_facts;

/* ---- Required ---- */

/* Returns BOLTZCURVE_TARGET_VERSION. Called before anything else. */
uint32_t boltzcurve_target_version(void);

/* Makes a target. options: target.options of the configuration, a JSON text, "{}" where there is none. folder: absolute, where relative names
 * of files in options start. */
int boltzcurve_target_create(const char* options, const char* folder, boltzcurve_target** made, char* message, size_t message_size);

void boltzcurve_target_destroy(boltzcurve_target* target);

/* Fills in all members of `facts` but `bytes`. */
int boltzcurve_target_describe(const boltzcurve_target* target, boltzcurve_target_facts* facts);

/* f of n points x [n][D], row by row, into value [n] where `wanted` has BOLTZCURVE_VALUE (it always has); df/dx into gradient [n][D] where it
 * has BOLTZCURVE_GRADIENT, else gradient is NULL; and where it has BOLTZCURVE_SECOND, which is asked only of those that can: d'Hd with the
 * Hessian H along `directions` many directions d of each point, direction [n][directions][D], into second [n][directions], else both are
 * NULL. This version of the program never asks for BOLTZCURVE_SECOND. */
int boltzcurve_target_evaluate(boltzcurve_target* target, int64_t n, const double* x, uint32_t wanted, double* value, double* gradient,
                               int64_t directions, const double* direction, double* second, char* message, size_t message_size);

/* ---- Optional: leave out what you do not have ---- */

/* Writes the name of a coordinate, 0 to D - 1, with a zero at the end; at most `size` characters in all. Default: x1, x2, ... */
int boltzcurve_target_name(const boltzcurve_target* target, int64_t coordinate, char* name, size_t size);

/* A box outside of which nothing matters, lower [D] and upper [D]: where the search for modes starts. -INFINITY and INFINITY: no bound; the
 * search then starts from normal numbers of deviation 2, so coordinates should be near 1 in size. */
int boltzcurve_target_box(const boltzcurve_target* target, double* lower, double* upper);

#ifdef __cplusplus
}
#endif

#endif

/* The most that one core can do: momentum descent on Rosenbrock's function by hand.

   N vectors of runs stay in registers for all updates, no operation is fused or reordered. N is
   tried from 3 to 8: fewer leave the vector unit waiting for results, more spill.

   cc -O3 -march=native -ffp-contract=off peak.c -o peak && ./peak [N]
   prints a line for each N: the bits of a vector, N, and millions of updates a second of CPU time. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef __AVX512F__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef double vector __attribute__((vector_size(8 * LANES)));

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static volatile double start_x = -1.2, start_y = 1.0, lr_given = 1e-5, momentum_given = 0.9;
static volatile double sum;

#define DESCEND(N)                                                                     \
    static double descend_##N(long steps) {                                            \
        vector zero = {0.0}, lr = zero + lr_given, momentum = zero + momentum_given;   \
        vector x[N], y[N], vx[N], vy[N];                                               \
        for (int i = 0; i < N; i++) {                                                  \
            x[i] = zero + start_x;                                                     \
            y[i] = zero + start_y;                                                     \
            vx[i] = vy[i] = zero;                                                      \
        }                                                                              \
        double begun = now();                                                          \
        for (long t = 0; t < steps; t++) {                                             \
            _Pragma("GCC unroll 8") for (int i = 0; i < N; i++) {                      \
                vector d = y[i] - x[i] * x[i];                                         \
                vector gx = 2.0 * (x[i] - 1.0) - 400.0 * x[i] * d;                     \
                vector gy = 200.0 * d;                                                 \
                vx[i] = momentum * vx[i] - lr * gx;                                    \
                vy[i] = momentum * vy[i] - lr * gy;                                    \
                x[i] = x[i] + vx[i];                                                   \
                y[i] = y[i] + vy[i];                                                   \
            }                                                                          \
        }                                                                              \
        double seconds = now() - begun;                                                \
        for (int i = 0; i < N; i++)                                                    \
            for (int j = 0; j < LANES; j++) sum += x[i][j] + y[i][j];                  \
        return steps * (double)(LANES * N) / seconds / 1e6;                            \
    }

DESCEND(3) DESCEND(4) DESCEND(5) DESCEND(6) DESCEND(7) DESCEND(8)

int main(int count, char **words) {
    double (*descend[])(long) = {descend_3, descend_4, descend_5, descend_6, descend_7, descend_8};
    int only = count > 1 ? atoi(words[1]) : 0;
    for (int n = 3; n <= 8; n++) {
        if (only && n != only) continue;
        descend[n - 3](20000); /* wake the vector unit */
        printf("%d %d %.1f\n", 64 * LANES, n, descend[n - 3](400000000L / LANES / n));
    }
    return 0;
}

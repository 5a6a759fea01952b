/* The least that Adam can take: a quotient and a root for each of two coordinates, and nothing else.
   Prints how many such updates one core makes, in 10^6 a second of CPU time.

   cc -O3 -march=native -ffp-contract=off -fno-math-errno roots.c -o roots -lm && ./roots */
#include <math.h>
#include <stdio.h>
#include <time.h>

enum { RUNS = 64, UPDATES = 200000 };

static double x[RUNS], y[RUNS];

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(void) {
    for (int i = 0; i < RUNS; i++) {
        x[i] = 1.0 + i;
        y[i] = 2.0 + i;
    }
    double begun = seconds();
    for (int t = 0; t < UPDATES; t++) {
        for (int i = 0; i < RUNS; i++) {
            x[i] = 1.5 / sqrt(x[i]);
            y[i] = 1.5 / sqrt(y[i]);
        }
    }
    double took = seconds() - begun;
    double sum = 0.0; /* asked for, lest all be left out */
    for (int i = 0; i < RUNS; i++) sum += x[i] + y[i];
    printf("%.1f\n", (double)RUNS * UPDATES / took / 1e6);
    return !(sum > 0.0);
}

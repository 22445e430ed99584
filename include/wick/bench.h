/* Measuring: what this machine can do, and how much of it a model's kernels, its training and its
 * inference make.
 *
 * An operation is one addition or one multiplication, so that a multiply-add is two. A
 * convolution's are counted as those of its definition, however it is computed.
 */
#ifndef WICK_BENCH_H
#define WICK_BENCH_H

#include <wick/module.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zeros are the defaults. */
typedef struct wick_bench_options {
    double seconds; /* about how long a call may take; 0: 2. Each thing is measured at least once */
    /* How many random images there are to train on; 0: 60000, or as many as 64 MB hold. */
    int64_t images;
    int64_t memory_bytes; /* what the bandwidth is measured over; 0: 256 MB */
    /* Called before each measurement with what it is of, and how much of the call is done, 0 to 1.
     * May be NULL. */
    void (*progress)(void *user, const char *what, double done);
    void *user;
} wick_bench_options;

/* ---- the machine ---- */

enum { WICK_ONE_THREAD, WICK_ALL_THREADS };

/* Each figure for one thread and for all of the context's at once, the best of several trials. */
typedef struct wick_machine_speed {
    int threads;
    double flops[2];      /* operations a second, in multiply-adds on registers */
    double read_bytes[2]; /* bytes a second, from memory */
    double copy_bytes[2]; /* the same, those read and those written */
} wick_machine_speed;

/* Measures with the context's kernels and threads.
 * Errors: WICK_EINVAL, WICK_ENOMEM, WICK_EINTR, WICK_EDEVICE for a WICK_CPU that cannot run. */
WICK_API wick_status wick_bench_machine(wick_context *context, const wick_bench_options *options,
                                        wick_machine_speed *out);

/* The kernels of this build, best first. */
typedef struct wick_cpu_kernels {
    const char *name;  /* for wick_context_set_cpu() and WICK_CPU */
    const char *needs; /* "AVX2, FMA and BMI2"; what this processor must have */
    bool runs;         /* it has that */
    bool used;         /* the context uses these */
} wick_cpu_kernels;
/* For index 0, 1, ...; WICK_ENOENT from the end on. All text is static.
 * Errors: WICK_EDEVICE, as above. */
WICK_API wick_status wick_bench_cpu(wick_context *context, int index, wick_cpu_kernels *out);

/* ---- a model ---- */

typedef enum wick_pass_kind {
    WICK_FORWARD,
    WICK_TO_INPUT,   /* the gradient of a layer's input */
    WICK_TO_WEIGHTS, /* the gradient of its parameters */
} wick_pass_kind;

/* What a layer takes within a training step. */
typedef struct wick_kernel_speed {
    char path[128];   /* "conv_block_1.0"; "" for what the plan puts between layers */
    const char *kind; /* "Conv2d"; "input", "layout" or "loss" for that. Borrowed from the module */
    wick_pass_kind pass;
    int64_t multiply_adds; /* for the batch; 0 for those that do none */
    double seconds;        /* for the batch, the threads working at once; the median */
} wick_kernel_speed;

/* A whole step of training or a forward pass, as the library's caller sees it. */
typedef struct wick_work_speed {
    bool training;
    int64_t batch;
    int64_t multiply_adds; /* for the batch */
    double seconds;        /* the median */
    int threads;           /* that it might use */
    int used;              /* that it did use */
    bool tried_out;        /* which was faster was tried out, and is again from time to time */
} wick_work_speed;

enum { WICK_WORK_COUNT = 6 };

typedef struct wick_model_speed {
    /* Training with the given batch, inference of 1 and of 256 images: each with one thread, then
     * with all. */
    wick_work_speed work[WICK_WORK_COUNT];
    int64_t kernel_count;
    const wick_kernel_speed *kernels; /* in the order they run */
} wick_model_speed;

/* Measures a model on random images: shape is the training batch's, [count, channels, height,
 * width]. The model's output must be [count, classes]. Its weights are afterwards what they were;
 * its gradients and what its last forward kept for backward are not. *out is owned, in one piece:
 * wick_free().
 * Errors: WICK_EINVAL, WICK_ESHAPE, WICK_ENOMEM, WICK_EINTR. */
WICK_API wick_status wick_bench_model(wick_module *module, const int64_t shape[4],
                                      const wick_bench_options *options, wick_model_speed **out);

#ifdef __cplusplus
}
#endif
#endif

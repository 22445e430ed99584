/* Scenarios that are run again and again, each time with another call failing: an allocation
 * (alloc_fail.c) or a call to the file system (disk_fail.c). A scenario file is linked with one of the
 * two, which brings main(). */
#ifndef FAULT_H
#define FAULT_H

#include <wick/wick.h>

enum { FAULT_PATH = 512 };

typedef struct fault_scenario {
    const char *name;
    /* Lays out the folder's files, with nothing failing. May be NULL. */
    void (*prepare)(wick_context *context, const char *folder);
    /* What is tried. Frees all that it made, whatever happens, and returns the first failure. Of what
     * succeeds it checks with FAULT_CHECK() that it is whole. */
    wick_status (*run)(wick_context *context, const char *folder);
    /* What must hold of the folder afterwards, with nothing failing: it is as it was, or whole. May be
     * NULL. */
    void (*after)(wick_context *context, const char *folder, wick_status status);
    /* May succeed though a call failed: what failed was not needed. */
    bool may_survive;
    /* Touches no file, so that disk_fail.c passes it over. */
    bool memory_only;
} fault_scenario;

/* Ended by one without a name. Each scenario file defines it. */
extern const fault_scenario fault_scenarios[];

/* Ends the test with a message if the condition does not hold. */
#define FAULT_CHECK(condition)                                                                          \
    do {                                                                                                \
        if (!(condition))                                                                               \
            fault_failed(__FILE__, __LINE__, #condition);                                               \
    } while (0)
_Noreturn void fault_failed(const char *file, int line, const char *what);

/* Within run: goes on to the cleaning up (a label `out`, a local `status`) at the first failure. */
#define FAULT_TRY(call)                                                                                 \
    do {                                                                                                \
        status = (call);                                                                                \
        if (status != WICK_OK)                                                                          \
            goto out;                                                                                   \
    } while (0)
/* Within prepare and after, where nothing fails. */
#define FAULT_MUST(call) fault_must(__FILE__, __LINE__, (call), context)
void fault_must(const char *file, int line, wick_status status, wick_context *context);

/* folder/name. */
const char *fault_path(char out[FAULT_PATH], const char *folder, const char *name);
void fault_write(const char *folder, const char *name, const void *bytes, size_t length);
/* Removes everything in the folder, and the folder. */
void fault_remove(const char *folder);

/* ---- for alloc_fail.c and disk_fail.c ---- */

typedef struct fault_kind {
    /* The n-th call from now on fails, and with `all` every later one as well. */
    void (*arm)(long n, bool all);
    /* No call fails any more. How many failed. */
    long (*disarm)(void);
    /* How much of what was taken since arm() has not been given back. */
    long (*leaks)(void);
    /* Whether this failure is the one to be expected; message is "" where there was no context. */
    void (*check)(const fault_scenario *scenario, wick_status status, const char *message);
    /* Prints which call failed. */
    void (*explain)(void);
    const char *what; /* "allocation" */
    /* Whether what failed must make the scenario fail. NULL: whatever failed does, unless it
     * may_survive. */
    bool (*must_fail)(void);
    /* Whether scenarios that are memory_only are run. */
    bool without_files;
    /* Whether some scenarios, but not all, may make no such call. */
    bool may_be_idle;
} fault_kind;

/* Runs all scenarios; the result of main(). */
int fault_main(const fault_kind *kind);

#endif

#include "fault.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CALLS = 1000000 };

/* What is being tried, for the message. */
static struct {
    const fault_kind *kind;
    const char *scenario, *mode;
    long n;
} now;

void fault_failed(const char *file, int line, const char *what)
{
    if (now.kind != NULL)
        now.kind->disarm();
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    if (now.scenario != NULL)
        fprintf(stderr, "in %s, with %s %ld%s failing\n", now.scenario, now.kind->what, now.n, now.mode);
    if (now.kind != NULL)
        now.kind->explain();
    exit(1);
}

void fault_must(const char *file, int line, wick_status status, wick_context *context)
{
    if (status != WICK_OK)
        fault_failed(file, line, wick_context_message(context));
}

const char *fault_path(char out[FAULT_PATH], const char *folder, const char *name)
{
    snprintf(out, FAULT_PATH, "%s/%s", folder, name);
    return out;
}

void fault_write(const char *folder, const char *name, const void *bytes, size_t length)
{
    char path[FAULT_PATH];
    FILE *file = fopen(fault_path(path, folder, name), "wb");
    FAULT_CHECK(file != NULL);
    FAULT_CHECK(fwrite(bytes, 1, length, file) == length);
    FAULT_CHECK(fclose(file) == 0);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

void fault_remove(const char *folder)
{
    FAULT_CHECK(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

/* A temporary file that stayed behind is a leak on the disk. */
static void check_no_temporary(const char *folder)
{
    DIR *names = opendir(folder);
    if (names == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(names)) != NULL;) {
        char path[FAULT_PATH];
        if (entry->d_name[0] == '.')
            continue;
        if (strstr(entry->d_name, ".tmp") != NULL)
            fault_failed(folder, 0, entry->d_name);
        if (entry->d_type == DT_DIR)
            check_no_temporary(fault_path(path, folder, entry->d_name));
    }
    closedir(names);
}

typedef struct outcome {
    wick_status status;
    long failed;
    char message[1024];
} outcome;

static outcome try_once(const fault_scenario *scenario, const char *folder, bool all)
{
    wick_context *context = NULL;
    outcome got = {.message = ""};
    now.kind->arm(now.n, all);
    got.status = wick_context_new(&context);
    if (got.status == WICK_OK) {
        /* One thread, so that the n-th call is the same one each time. */
        got.status = wick_context_set_threads(context, 1);
        if (got.status == WICK_OK)
            got.status = scenario->run(context, folder);
        snprintf(got.message, sizeof(got.message), "%s", wick_context_message(context));
        wick_context_free(context);
    }
    got.failed = now.kind->disarm();
    if (now.kind->leaks() != 0) {
        char what[64];
        snprintf(what, sizeof(what), "%ld leaks", now.kind->leaks());
        fault_failed(scenario->name, 0, what);
    }
    return got;
}

static void around(const fault_scenario *scenario, const char *folder, const outcome *got)
{
    wick_context *context;
    FAULT_CHECK(wick_context_new(&context) == WICK_OK);
    FAULT_MUST(wick_context_set_threads(context, 1));
    if (got == NULL && scenario->prepare != NULL)
        scenario->prepare(context, folder);
    if (got != NULL && scenario->after != NULL)
        scenario->after(context, folder, got->status);
    wick_context_free(context);
}

/* With the first call failing, then the second, ..., until the scenario is through before it comes to
 * the n-th. Returns how many calls it makes. */
static long run_scenario(const fault_scenario *scenario, bool all)
{
    now.scenario = scenario->name;
    now.mode = all ? " and all after it" : "";
    for (now.n = 1; now.n < MOST_CALLS; now.n++) {
        /* In memory where that can be: there are many thousands of syncs to be waited for. */
        char folder[64];
        snprintf(folder, sizeof(folder), "%s/wick-fault-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        FAULT_CHECK(mkdtemp(folder) != NULL);
        around(scenario, folder, NULL);
        outcome got = try_once(scenario, folder, all);
        if (got.failed == 0 && got.status != WICK_OK)
            fault_failed(scenario->name, 0, got.message);
        bool must_fail = now.kind->must_fail == NULL ? !scenario->may_survive : now.kind->must_fail();
        if (got.failed > 0 && got.status == WICK_OK && must_fail)
            fault_failed(scenario->name, 0, "a call failed, and yet all was well");
        if (got.status != WICK_OK)
            now.kind->check(scenario, got.status, got.message);
        check_no_temporary(folder);
        around(scenario, folder, &got);
        fault_remove(folder);
        if (got.failed == 0)
            return now.n - 1;
    }
    fault_failed(scenario->name, 0, "does not come to an end");
}

int fault_main(const fault_kind *kind)
{
    int count = 0;
    now.kind = kind;
    for (const fault_scenario *s = fault_scenarios; s->name != NULL; s++) {
        if (s->memory_only && !kind->without_files)
            continue;
        long once = run_scenario(s, false);
        long from = run_scenario(s, true);
        printf("%-24s %5ld %ss, each failing alone; %ld with all after it\n", s->name, once, kind->what,
               from);
        FAULT_CHECK(kind->may_be_idle || (once > 0 && from > 0));
        count += once > 0;
    }
    printf("%d scenarios\n", count);
    return count > 0 ? 0 : 1;
}

#include "base/base.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int wki_usable_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return WKI_MAX(1, WKI_MIN(count, WKI_MAX_THREADS));
}

double wki_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

wick_status wick_context_new(wick_context **out)
{
    if (out == NULL)
        return WICK_EINVAL;
    wick_context *context = calloc(1, sizeof(*context));
    void *generator = calloc(1, WKI_GENERATOR_BYTES);
    if (context == NULL || generator == NULL) {
        free(context);
        free(generator);
        return WICK_ENOMEM;
    }
    context->default_generator = generator;
    context->threads = wki_usable_cores();
    context->work_per_thread = WKI_WORK_PER_THREAD;
    strcpy(context->device, "cpu");
    *out = context;
    return WICK_OK;
}

void wick_context_free(wick_context *context)
{
    if (context == NULL)
        return;
    wki_team_free(context->team);
    free(context->default_generator);
    free(context);
}

const char *wick_context_message(const wick_context *context)
{
    return context->message;
}

/* Messages hold names out of files. One line stays one line, and a terminal obeys none of it: control
 * characters, those of one byte and Unicode's of two (C2 80 to C2 9F in UTF-8), become question marks. */
static void make_harmless(char *message)
{
    for (unsigned char *c = (unsigned char *)message; *c != '\0'; c++) {
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
        else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
            c[0] = c[1] = '?';
    }
}

wick_status wki_fail(wick_context *context, wick_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(context->message, sizeof(context->message), format, args);
    va_end(args);
    make_harmless(context->message);
    return status;
}

wick_status wki_fail_in(wick_context *context, wick_status status, const char *format, ...)
{
    char before[WKI_MESSAGE_SIZE];
    memcpy(before, context->message, sizeof(before));
    va_list args;
    va_start(args, format);
    int prefix = vsnprintf(context->message, sizeof(context->message), format, args);
    va_end(args);
    size_t used = prefix < 0 ? 0 : WKI_MIN((size_t)prefix, sizeof(context->message) - 1);
    snprintf(context->message + used, sizeof(context->message) - used, ": %s", before);
    make_harmless(context->message);
    return status;
}

wick_status wick_context_set_threads(wick_context *context, int threads)
{
    if (threads < 0 || threads > WKI_MAX_THREADS)
        return wki_fail(context, WICK_EINVAL, "threads is %d; it must be 1 to %d, or 0 for one a core",
                        threads, WKI_MAX_THREADS);
    context->threads = threads == 0 ? wki_usable_cores() : threads;
    return WICK_OK;
}

int wick_context_threads(const wick_context *context)
{
    return context->threads;
}

/* "cuda", "cuda:0", "cuda:12". */
static bool is_cuda(const char *device)
{
    if (strncmp(device, "cuda", 4) != 0)
        return false;
    if (device[4] == '\0')
        return true;
    return device[4] == ':' && device[5] != '\0' &&
           strspn(device + 5, "0123456789") == strlen(device + 5);
}

wick_status wick_context_set_device(wick_context *context, const char *device)
{
    if (device == NULL)
        return wki_fail(context, WICK_EINVAL, "the device is NULL; it must be auto, cpu or cuda");
    if (is_cuda(device))
        return wki_fail(context, WICK_EDEVICE, "there is no device '%s' here; there is: cpu", device);
    if (strcmp(device, "auto") != 0 && strcmp(device, "cpu") != 0)
        return wki_fail(context, WICK_EINVAL, "'%s' is no device; it must be auto, cpu or cuda", device);
    strcpy(context->device, "cpu");
    return WICK_OK;
}

const char *wick_context_device(const wick_context *context)
{
    return context->device;
}

void wick_context_interrupt(wick_context *context)
{
    atomic_store(&context->interrupted, 1);
}

bool wick_context_interrupted(const wick_context *context)
{
    return atomic_load(&context->interrupted) != 0;
}

void wick_context_clear_interrupt(wick_context *context)
{
    atomic_store(&context->interrupted, 0);
}

wick_status wki_context_team(wick_context *context, wki_team **out)
{
    if (context->team != NULL && wki_team_wanted(context->team) != context->threads) {
        wki_team_free(context->team);
        context->team = NULL;
    }
    if (context->team == NULL)
        WKI_TRY(wki_team_new(context, context->threads, &context->team));
    *out = context->team;
    return WICK_OK;
}

void wick_free(void *memory)
{
    free(memory);
}

const char *wick_version(void)
{
    return WICK_VERSION;
}

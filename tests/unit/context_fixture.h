/* What tests of models begin and end with: a context that uses its threads for the least of work. Included behind cmocka.h
 * and wick.h. */
#ifndef CONTEXT_FIXTURE_H
#define CONTEXT_FIXTURE_H

#include "base/base.h"

static inline int make_context(void **state)
{
    if (wick_context_new((wick_context **)state) != WICK_OK)
        return -1;
    ((wick_context *)*state)->work_per_thread = 1.0;
    return 0;
}

static inline int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

static inline void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

#endif

/* The same work on many pictures, shared out among the context's threads. */
#ifndef WKI_PICTURE_WORK_H
#define WKI_PICTURE_WORK_H

#include "base/base.h"

typedef struct wki_picture_work {
    size_t begin, end;
    /* Does number `at`. own is a context of the thread's alone, whose message is taken over on failure;
     * which of several failures is taken does not depend on the threads: that of the lowest number. */
    wick_status (*one)(void *user, wick_context *own, size_t at);
    void *user;
    /* Called by the caller's thread now and then; may be NULL. */
    void (*progress)(void *user, int64_t done, int64_t total);
    void *progress_user;
    int64_t done_before, total; /* what progress counts from, and to */
} wki_picture_work;

/* Errors: those of `one`; WICK_EINTR when the context is interrupted; WICK_ENOMEM. */
wick_status wki_picture_work_run(wick_context *context, const wki_picture_work *work);

#endif

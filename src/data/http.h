/* One file over HTTP, with libcurl, which is loaded when the first download starts: linked in, it and
 * its thirty libraries would be most of what starting wick costs. */
#ifndef WKI_HTTP_H
#define WKI_HTTP_H

#include "base/base.h"

typedef struct wki_http wki_http;

/* Errors: WICK_ENOTSUP if wick was built without libcurl or it is not installed; WICK_ENOMEM. */
wick_status wki_http_open(wick_context *context, wki_http **out);
/* NULL is fine. */
void wki_http_close(wki_http *http);

typedef struct wki_http_request {
    const char *url;    /* http or https, also after redirects */
    uint64_t limit;     /* a longer answer is broken off */
    int64_t timeout_ms; /* as long may pass without a byte */
    /* Takes the body; a failure ends the request and becomes its status. */
    wick_status (*write)(void *user, const void *bytes, size_t length);
    /* May be NULL. total is 0 if not known. */
    void (*progress)(void *user, int64_t done, int64_t total);
    void *user;
} wki_http_request;

/* Errors: WICK_ENET, the message being the reason alone ("answered 403"); WICK_EINTR; those of write. */
wick_status wki_http_get(wki_http *http, const wki_http_request *request);

#endif

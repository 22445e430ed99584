#include "data/http.h"

#ifdef WKI_HAVE_CURL

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_REDIRECTS = 5 };

struct wki_http {
    wick_context *context;
    void *library;
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_global_cleanup) global_cleanup;
    __typeof__(&curl_easy_init) easy_init;
    __typeof__(&curl_easy_setopt) easy_setopt;
    __typeof__(&curl_easy_perform) easy_perform;
    __typeof__(&curl_easy_getinfo) easy_getinfo;
    __typeof__(&curl_easy_strerror) easy_strerror;
    __typeof__(&curl_easy_cleanup) easy_cleanup;
};

/* ---- the library ---- */

static bool find_functions(wki_http *http)
{
    const struct {
        const char *name;
        void *place;
    } functions[] = {
        {"curl_global_init", &http->global_init},     {"curl_global_cleanup", &http->global_cleanup},
        {"curl_easy_init", &http->easy_init},         {"curl_easy_setopt", &http->easy_setopt},
        {"curl_easy_perform", &http->easy_perform},   {"curl_easy_getinfo", &http->easy_getinfo},
        {"curl_easy_strerror", &http->easy_strerror}, {"curl_easy_cleanup", &http->easy_cleanup},
    };
    for (size_t i = 0; i < WKI_COUNT(functions); i++) {
        void *symbol = dlsym(http->library, functions[i].name);
        if (symbol == NULL)
            return false;
        /* POSIX lets a function's address through a void pointer; ISO C has no cast for it. */
        *(void **)functions[i].place = symbol;
    }
    return true;
}

static wick_status http_open(wki_http *http)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    for (size_t i = 0; i < WKI_COUNT(names) && http->library == NULL; i++)
        /* What libcurl brings along registers functions to run at exit: it must not be unmapped. */
        http->library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (http->library == NULL)
        return wki_fail(http->context, WICK_ENOTSUP,
                        "downloads need libcurl, which is not installed: %s", dlerror());
    if (!find_functions(http))
        return wki_fail(http->context, WICK_ENOTSUP, "downloads need a newer libcurl: %s", dlerror());
    if (http->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        http->global_cleanup = NULL;
        return wki_fail(http->context, WICK_ENOTSUP, "libcurl could not be started");
    }
    return WICK_OK;
}

wick_status wki_http_open(wick_context *context, wki_http **out)
{
    void *memory;
    WKI_TRY(wki_alloc(context, 1, sizeof(wki_http), "a download", &memory));
    wki_http *http = memory;
    http->context = context;
    wick_status status = http_open(http);
    if (status == WICK_OK)
        *out = http;
    else
        wki_http_close(http);
    return status;
}

void wki_http_close(wki_http *http)
{
    if (http == NULL)
        return;
    if (http->global_cleanup != NULL)
        http->global_cleanup();
    if (http->library != NULL)
        dlclose(http->library);
    free(http);
}

/* ---- a request ---- */

typedef enum http_ending { NO_END, TOO_LONG, STALLED, INTERRUPTED, WRITE_FAILED } http_ending;

typedef struct http_transfer {
    wick_context *context;
    const wki_http_request *request;
    uint64_t received;
    int64_t last_done, last_ms;
    http_ending ending; /* why it was broken off, if it was */
    wick_status write_status;
    char error[CURL_ERROR_SIZE];
} http_transfer;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *user)
{
    http_transfer *transfer = user;
    size_t length = size * count;
    if (length > transfer->request->limit - transfer->received) {
        transfer->ending = TOO_LONG;
        return 0;
    }
    transfer->received += length;
    transfer->write_status = transfer->request->write(transfer->request->user, bytes, length);
    if (transfer->write_status == WICK_OK)
        return length;
    transfer->ending = WRITE_FAILED;
    return 0;
}

/* libcurl calls this with every piece that comes, and once a second while nothing does. */
static int take_progress(void *user, curl_off_t total, curl_off_t done, curl_off_t to_send,
                         curl_off_t sent)
{
    http_transfer *transfer = user;
    (void)to_send;
    (void)sent;
    if (done != transfer->last_done) {
        transfer->last_done = done;
        transfer->last_ms = now_ms();
        if (transfer->request->progress != NULL)
            transfer->request->progress(transfer->request->user, done, total);
    } else if (now_ms() - transfer->last_ms > transfer->request->timeout_ms) {
        transfer->ending = STALLED;
    }
    if (wick_context_interrupted(transfer->context))
        transfer->ending = INTERRUPTED;
    return transfer->ending != NO_END;
}

static bool set_options(const wki_http *http, CURL *easy, http_transfer *transfer)
{
    __typeof__(&curl_easy_setopt) set = http->easy_setopt;
    const wki_http_request *request = transfer->request;
    return set(easy, CURLOPT_ERRORBUFFER, transfer->error) == CURLE_OK &&
           set(easy, CURLOPT_URL, request->url) == CURLE_OK &&
           set(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           set(easy, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           set(easy, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS) == CURLE_OK &&
           set(easy, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
           set(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           set(easy, CURLOPT_USERAGENT, "wick/" WICK_VERSION) == CURLE_OK &&
           set(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)WKI_MIN(request->timeout_ms, INT32_MAX)) ==
               CURLE_OK &&
           set(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->limit) == CURLE_OK &&
           set(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           set(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           set(easy, CURLOPT_XFERINFOFUNCTION, take_progress) == CURLE_OK &&
           set(easy, CURLOPT_XFERINFODATA, transfer) == CURLE_OK &&
           set(easy, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
}

static wick_status finish(const wki_http *http, CURL *easy, const http_transfer *transfer, CURLcode code)
{
    wick_context *context = http->context;
    long answer = 0;
    if (transfer->ending == WRITE_FAILED)
        return transfer->write_status;
    if (transfer->ending == INTERRUPTED)
        return wki_fail(context, WICK_EINTR, "interrupted");
    if (transfer->ending == TOO_LONG || code == CURLE_FILESIZE_EXCEEDED)
        return wki_fail(context, WICK_ENET, "sent more than the %llu bytes there should be",
                        (unsigned long long)transfer->request->limit);
    if (transfer->ending == STALLED)
        return wki_fail(context, WICK_ENET, "sent nothing for %g s",
                        (double)transfer->request->timeout_ms / 1000);
    if (code == CURLE_OK)
        return WICK_OK;
    if (code == CURLE_OUT_OF_MEMORY)
        return wki_fail(context, WICK_ENOMEM, "libcurl ran out of memory");
    if (code == CURLE_HTTP_RETURNED_ERROR &&
        http->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer) == CURLE_OK)
        return wki_fail(context, WICK_ENET, "answered %ld", answer);
    return wki_fail(context, WICK_ENET, "%s",
                    transfer->error[0] != '\0' ? transfer->error : http->easy_strerror(code));
}

wick_status wki_http_get(wki_http *http, const wki_http_request *request)
{
    http_transfer transfer = {.context = http->context, .request = request, .last_ms = now_ms()};
    CURL *easy = http->easy_init();
    if (easy == NULL)
        return wki_fail(http->context, WICK_ENOMEM, "out of memory for a download");
    wick_status status;
    if (set_options(http, easy, &transfer))
        status = finish(http, easy, &transfer, http->easy_perform(easy));
    else
        status = wki_fail(http->context, WICK_ENOTSUP, "downloads need libcurl 7.85 or newer");
    http->easy_cleanup(easy);
    return status;
}

#else

wick_status wki_http_open(wick_context *context, wki_http **out)
{
    (void)out;
    return wki_fail(context, WICK_ENOTSUP, "this wick was built without libcurl and cannot download");
}

void wki_http_close(wki_http *http)
{
    (void)http;
}

wick_status wki_http_get(wki_http *http, const wki_http_request *request)
{
    (void)http;
    (void)request;
    return WICK_ENOTSUP;
}

#endif

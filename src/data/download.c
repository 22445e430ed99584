#include "data/download.h"
#include "data/http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEFAULT_TIMEOUT_MS = 30000 };

/* A file on its way from a mirror to its place. */
typedef struct file_download {
    wick_context *context;
    wki_http *http;
    const wick_download_options *options;
    const wki_known_file *file;
    const char *name; /* with .gz */
    char *path;       /* its place */
    void *bytes;      /* what the mirror that is being asked has sent */
    size_t length, capacity;
} file_download;

static wick_status take_bytes(void *user, const void *bytes, size_t length)
{
    file_download *download = user;
    WKI_TRY(wki_grow(download->context, &download->bytes, &download->capacity, download->length + length,
                     1, "a download"));
    memcpy((char *)download->bytes + download->length, bytes, length);
    download->length += length;
    return WICK_OK;
}

static void tell_progress(void *user, int64_t done, int64_t total)
{
    const file_download *download = user;
    if (download->options->progress != NULL)
        download->options->progress(download->options->user, download->name, done, total);
}

static uint64_t longest(const wki_known_file *file)
{
    uint64_t size = 0;
    for (size_t i = 0; i < WKI_KNOWN_SUMS; i++)
        size = WKI_MAX(size, file->sums[i].size);
    return size;
}

/* Puts what url gives in the file's place if it is what it should be. It is kept in memory, its size
 * being known, until that is known: nothing unchecked comes near the disk. */
static wick_status fetch(file_download *download, const char *url)
{
    int64_t timeout = download->options->timeout_ms;
    const wki_http_request request = {
        .url = url,
        .limit = longest(download->file),
        .timeout_ms = timeout == 0 ? DEFAULT_TIMEOUT_MS : timeout,
        .write = take_bytes,
        .progress = tell_progress,
        .user = download,
    };
    char sha256[65];
    download->length = 0;
    WKI_TRY(wki_http_get(download->http, &request));
    wki_sha256(download->bytes, download->length, sha256);
    if (!wki_known_file_is(download->file, sha256))
        return wki_fail(download->context, WICK_EFORMAT, "sent another file: its SHA-256 is %s, not %s",
                        sha256, download->file->sums[0].sha256);
    return wki_file_write(download->context, download->path, download->bytes, download->length);
}

/* Asks one mirror; what it did wrong, if it did, is added to said. */
static wick_status ask_mirror(file_download *download, const char *mirror, wki_text *said)
{
    char *url;
    if (wick_context_interrupted(download->context))
        return wki_fail(download->context, WICK_EINTR, "interrupted");
    WKI_TRY(wki_join_path(download->context, mirror, download->name, &url));
    wick_status status = fetch(download, url);
    free(url);
    if (status == WICK_ENET || status == WICK_EFORMAT)
        wki_text_printf(said, "%s%s %s", said->length == 0 ? "" : "; ", mirror,
                        wick_context_message(download->context));
    return status;
}

/* Asks the mirrors in turn. Only what a mirror did wrong sends it to the next one. */
static wick_status ask_mirrors(file_download *download, const char *const *mirrors)
{
    wick_status status = WICK_ENET, said_status = WICK_ENET;
    wki_text said;
    wki_text_init(&said, download->context);
    while (*mirrors != NULL && (status == WICK_ENET || status == WICK_EFORMAT)) {
        status = ask_mirror(download, *mirrors++, &said);
        if (status == WICK_EFORMAT)
            said_status = WICK_EFORMAT;
    }
    if (status == WICK_EINTR)
        wki_fail_in(download->context, status, "%s", download->name);
    else if ((status == WICK_ENET || status == WICK_EFORMAT) && said.status != WICK_OK)
        status = said.status;
    else if (status == WICK_ENET || status == WICK_EFORMAT)
        status = wki_fail(download->context, said_status, "%s: not downloaded: %s", download->name,
                          said.length == 0 ? "there is no mirror to ask" : said.bytes);
    wki_text_release(&said);
    return status;
}

static wick_status is_right(const file_download *download, bool *right)
{
    struct stat info;
    char sha256[65];
    *right = false;
    if (stat(download->path, &info) != 0 || (uint64_t)info.st_size > longest(download->file))
        return WICK_OK;
    wick_status status = wki_file_sha256(download->context, download->path, sha256);
    *right = status == WICK_OK && wki_known_file_is(download->file, sha256);
    return status == WICK_ENOMEM ? status : WICK_OK;
}

static wick_status download_file(file_download *download, const char *folder, const char *const *mirrors)
{
    char name[64];
    bool right;
    snprintf(name, sizeof(name), "%s.gz", download->file->name);
    download->name = name;
    WKI_TRY(wki_join_path(download->context, folder, name, &download->path));
    wick_status status = is_right(download, &right);
    if (status == WICK_OK && !right)
        status = ask_mirrors(download, mirrors);
    free(download->path);
    free(download->bytes);
    download->bytes = NULL;
    download->capacity = 0;
    return status;
}

static wick_status download_files(wick_context *context, const wki_known_set *set, const char *folder,
                                  const wick_download_options *options)
{
    file_download download = {.context = context, .options = options};
    WKI_TRY(wki_http_open(context, &download.http));
    bool there = wki_file_exists(folder);
    wick_status status = wki_make_folders(context, folder);
    for (size_t i = 0; i < WKI_KNOWN_FILES && status == WICK_OK; i++) {
        download.file = &set->files[i];
        status =
            download_file(&download, folder, options->mirrors != NULL ? options->mirrors : set->mirrors);
    }
    if (status != WICK_OK && !there)
        (void)rmdir(folder); /* fails, as it should, if some of the files came */
    wki_http_close(download.http);
    return status;
}

wick_status wki_download_set(wick_context *context, const wki_known_set *set, const char *folder,
                             const wick_download_options *options)
{
    static const wick_download_options defaults;
    char *cache = NULL, *path;
    if (options == NULL)
        options = &defaults;
    if (options->timeout_ms < 0)
        return wki_fail(context, WICK_EINVAL, "timeout_ms is %lld; it must be 0 or more",
                        (long long)options->timeout_ms);
    if (folder == NULL)
        WKI_TRY(wki_cache_folder(context, &cache));
    wick_status status = wki_join_path(context, folder == NULL ? cache : folder, set->name, &path);
    free(cache);
    WKI_TRY(status);
    status = download_files(context, set, path, options);
    free(path);
    return status;
}

wick_status wick_dataset_download(wick_context *context, const char *name, const char *folder,
                                  const wick_download_options *options)
{
    if (name == NULL)
        return wki_fail(context, WICK_EINVAL, "the data set's name is NULL");
    const wki_known_set *set = wki_known_find(name);
    if (set == NULL)
        return wki_known_missing(context, name, "");
    if (set->mirrors[0] == NULL)
        return wki_fail(
            context, WICK_ENOTSUP,
            "%s: is published as an archive; unpack that in a folder of data sets (--data-dir)", name);
    return wki_download_set(context, set, folder, options);
}

#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_SIZE = 1 << 16, LONGEST_PATH = 4096, MOST_LINKS = 40 };

/* A failure of the system's on a path, in errno. */
static wick_status system_failed(wick_context *context, const char *doing, const char *path)
{
    wick_status status = errno == ENOENT ? WICK_ENOENT : errno == ENOMEM ? WICK_ENOMEM : WICK_EIO;
    return wki_fail(context, status, "%s: cannot %s: %s", path, doing, strerror(errno));
}

/* ---- reading ---- */

wick_status wki_reader_open(wki_reader *reader, wick_context *context, const char *path)
{
    struct stat info;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *reader = (wki_reader){.context = context, .path = path, .fd = -1};
    if (fd < 0)
        return system_failed(context, "open", path);
    wick_status status = WICK_OK;
    if (fstat(fd, &info) != 0)
        status = system_failed(context, "look at it", path);
    else if (!S_ISREG(info.st_mode))
        status = wki_fail(context, WICK_EIO, "%s: is %s", path,
                          S_ISDIR(info.st_mode) ? "a folder, not a file" : "not a regular file");
    if (status != WICK_OK) {
        close(fd);
        return status;
    }
    reader->fd = fd;
    reader->length = (uint64_t)info.st_size;
    return WICK_OK;
}

wick_status wki_reader_read(wki_reader *reader, void *bytes, uint64_t size)
{
    uint8_t *to = bytes;
    for (uint64_t done = 0; done < size;) {
        ssize_t got = read(reader->fd, to + done, WKI_MIN(size - done, (uint64_t)1 << 30));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return system_failed(reader->context, "read", reader->path);
        if (got == 0)
            return wki_fail(reader->context, WICK_EIO,
                            "%s: shrank to %llu of its %llu bytes while it was read", reader->path,
                            (unsigned long long)reader->at, (unsigned long long)reader->length);
        done += (uint64_t)got;
        reader->at += (uint64_t)got;
    }
    return WICK_OK;
}

void wki_reader_close(wki_reader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
}

bool wki_file_read_at(int fd, uint64_t at, void *bytes, size_t length)
{
    uint8_t *to = bytes;
    while (length > 0) {
        ssize_t got = pread(fd, to, WKI_MIN(length, (size_t)1 << 30), (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        at += (uint64_t)got;
        length -= (size_t)got;
    }
    return true;
}

static wick_status read_whole(wki_reader *reader, uint64_t limit, uint8_t **bytes)
{
    uint64_t size = reader->length;
    if (size > limit)
        return wki_fail(reader->context, WICK_ELIMIT, "%s: is %llu bytes long; at most %llu are read",
                        reader->path, (unsigned long long)size, (unsigned long long)limit);
    uint8_t *memory = size < PTRDIFF_MAX ? malloc((size_t)size + 1) : NULL;
    if (memory == NULL)
        return wki_fail(reader->context, WICK_ENOMEM, "%s: out of memory: no %llu bytes to read it",
                        reader->path, (unsigned long long)size);
    wick_status status = wki_reader_read(reader, memory, size);
    if (status != WICK_OK) {
        free(memory);
        return status;
    }
    memory[size] = '\0';
    *bytes = memory;
    return WICK_OK;
}

wick_status wki_file_read(wick_context *context, const char *path, uint64_t limit, uint8_t **bytes,
                          size_t *length)
{
    wki_reader reader;
    WKI_TRY(wki_reader_open(&reader, context, path));
    wick_status status = read_whole(&reader, limit, bytes);
    wki_reader_close(&reader);
    if (status == WICK_OK)
        *length = (size_t)reader.length;
    return status;
}

bool wki_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* ---- writing ---- */

static void writer_release(wki_writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    free(writer->path);
    free(writer->target);
    free(writer->temporary);
    free(writer->buffer);
    *writer = (wki_writer){.context = writer->context, .fd = -1};
}

/* Where a link in `path` leads to, from the folder that path is in. Owned. */
static wick_status link_target(wick_context *context, const char *path, const char *link, char **out)
{
    const char *slash = strrchr(path, '/');
    wki_text text;
    wki_text_init(&text, context);
    if (link[0] != '/' && slash != NULL)
        wki_text_append(&text, path, (size_t)(slash - path) + 1);
    wki_text_puts(&text, link);
    return wki_text_finish(&text, out);
}

/* Replaces writer->target by what it leads to, until it is no link. realpath() knows no links to what is
 * not there yet. */
static wick_status follow_links(wki_writer *writer)
{
    char link[LONGEST_PATH];
    for (int i = 0; i < MOST_LINKS; i++) {
        ssize_t length = readlink(writer->target, link, sizeof(link) - 1);
        if (length < 0)
            return WICK_OK; /* no link; or nothing that can be written, which opening it will tell */
        char *next;
        link[length] = '\0';
        WKI_TRY(link_target(writer->context, writer->target, link, &next));
        free(writer->target);
        writer->target = next;
    }
    errno = ELOOP;
    return system_failed(writer->context, "write", writer->path);
}

/* Makes a new file beside the target. Not mkstemp(): its files are private, and to learn the umask for a
 * chmod is to change it for every thread for a moment. */
static wick_status make_temporary(wki_writer *writer)
{
    enum { TRIES = 1000 };
    size_t size = strlen(writer->target) + sizeof(".2147483647-1000.tmp");
    void *memory;
    WKI_TRY(wki_alloc(writer->context, size, 1, "a file name", &memory));
    writer->temporary = memory;
    for (int i = 0; i < TRIES; i++) {
        snprintf(writer->temporary, size, "%s.%d-%d.tmp", writer->target, (int)getpid(), i);
        writer->fd = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (writer->fd >= 0)
            return WICK_OK;
        if (errno != EEXIST)
            break;
    }
    wick_status status = system_failed(writer->context, "write", writer->path);
    free(writer->temporary); /* it is not this writer's to remove */
    writer->temporary = NULL;
    return status;
}

static wick_status writer_open(wki_writer *writer)
{
    struct stat info;
    void *memory;
    WKI_TRY(follow_links(writer));
    /* A rename would put a file in the place of /dev/null as well. */
    if (stat(writer->target, &info) == 0 && !S_ISREG(info.st_mode))
        return wki_fail(writer->context, WICK_EEXIST, "%s: is there already, and is not a regular file",
                        writer->path);
    WKI_TRY(wki_alloc(writer->context, BUFFER_SIZE, 1, "a write buffer", &memory));
    writer->buffer = memory;
    return make_temporary(writer);
}

wick_status wki_writer_open(wki_writer *writer, wick_context *context, const char *path)
{
    *writer = (wki_writer){.context = context, .fd = -1};
    wick_status status = wki_strdup(context, path, &writer->path);
    if (status == WICK_OK)
        status = wki_strdup(context, path, &writer->target);
    if (status == WICK_OK)
        status = writer_open(writer);
    if (status != WICK_OK)
        wki_writer_abort(writer);
    return status;
}

static wick_status writer_flush(wki_writer *writer)
{
    size_t done = 0;
    while (done < writer->buffered) {
        ssize_t put = write(writer->fd, writer->buffer + done, writer->buffered - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return system_failed(writer->context, "write", writer->path);
        done += (size_t)put;
    }
    writer->buffered = 0;
    return WICK_OK;
}

wick_status wki_writer_write(wki_writer *writer, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;
    writer->offset += length;
    while (length > 0) {
        size_t part = WKI_MIN(length, BUFFER_SIZE - writer->buffered);
        memcpy(writer->buffer + writer->buffered, from, part);
        writer->buffered += part;
        from += part;
        length -= part;
        if (writer->buffered == BUFFER_SIZE)
            WKI_TRY(writer_flush(writer));
    }
    return WICK_OK;
}

/* Makes a rename in the folder of path last through a crash. Some file systems cannot sync folders; what
 * they can, they have done by then. */
static void sync_folder(const char *path)
{
    char folder[LONGEST_PATH];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    if (length >= sizeof(folder))
        return;
    memcpy(folder, path, length);
    folder[length] = '\0';
    int fd = open(slash == NULL ? "." : length == 0 ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static wick_status writer_finish(wki_writer *writer)
{
    WKI_TRY(writer_flush(writer));
    if (fsync(writer->fd) != 0)
        return system_failed(writer->context, "write", writer->path);
    int fd = writer->fd;
    writer->fd = -1;
    if (close(fd) != 0)
        return system_failed(writer->context, "write", writer->path);
    if (rename(writer->temporary, writer->target) != 0)
        return system_failed(writer->context, "replace", writer->path);
    free(writer->temporary);
    writer->temporary = NULL;
    sync_folder(writer->target);
    return WICK_OK;
}

wick_status wki_writer_commit(wki_writer *writer)
{
    wick_status status = writer_finish(writer);
    wki_writer_abort(writer);
    return status;
}

void wki_writer_abort(wki_writer *writer)
{
    if (writer->temporary != NULL)
        unlink(writer->temporary);
    writer_release(writer);
}

wick_status wki_file_write(wick_context *context, const char *path, const void *bytes, size_t length)
{
    wki_writer writer;
    WKI_TRY(wki_writer_open(&writer, context, path));
    wick_status status = wki_writer_write(&writer, bytes, length);
    if (status == WICK_OK)
        return wki_writer_commit(&writer);
    wki_writer_abort(&writer);
    return status;
}

/* ---- folders ---- */

static wick_status make_folder(wick_context *context, const char *folder)
{
    struct stat info;
    if (mkdir(folder, 0777) == 0)
        return WICK_OK;
    int error = errno;
    if (stat(folder, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return WICK_OK;
        return wki_fail(context, WICK_EEXIST, "%s: is there already, and is not a folder", folder);
    }
    errno = error;
    return system_failed(context, "make the folder", folder);
}

wick_status wki_make_folders(wick_context *context, const char *folder)
{
    char *path;
    wick_status status = WICK_OK;
    if (folder[0] == '\0')
        return wki_fail(context, WICK_EINVAL, "the folder's name is empty");
    WKI_TRY(wki_strdup(context, folder, &path));
    for (char *c = path + 1; *c != '\0' && status == WICK_OK; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        status = make_folder(context, path);
        *c = '/';
    }
    if (status == WICK_OK)
        status = make_folder(context, path);
    free(path);
    return status;
}

wick_status wki_join_path(wick_context *context, const char *folder, const char *name, char **out)
{
    wki_text text;
    wki_text_init(&text, context);
    wki_text_puts(&text, folder);
    if (text.length > 0 && text.bytes != NULL && text.bytes[text.length - 1] != '/')
        wki_text_puts(&text, "/");
    wki_text_puts(&text, name);
    return wki_text_finish(&text, out);
}

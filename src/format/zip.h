/* Zip archives: a strict reader over memory, and a writer of stored entries.
 *
 * The reader takes an archive only if every reader would see the same in it: the end record ends the
 * file, the entries lie one after the other in the directory's order from byte 0 to the directory with
 * nothing between them, local and central headers agree in all that both say, no name repeats or leads
 * outside, and every CRC-32 is right. Entries are stored or deflated. Zip64 records are read where the
 * 32-bit fields call for them.
 *
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
#ifndef WKI_ZIP_H
#define WKI_ZIP_H

#include "base/base.h"

typedef struct wki_zip_entry {
    const char *name; /* borrowed from the file's bytes; no NUL follows */
    size_t name_length;
    const uint8_t *bytes; /* the contents, `size` bytes: in the file, or in `inflated` */
    uint64_t size;
    uint8_t *inflated; /* NULL where the entry is stored */
} wki_zip_entry;

typedef struct wki_zip {
    wick_context *context;
    const char *file;
    const uint8_t *bytes;
    uint64_t length;
    wki_zip_entry *entries;
    size_t count;
    const wki_zip_entry **by_name;
    uint64_t inflated; /* bytes that the deflated entries have taken */
} wki_zip;

/* The most that all deflated entries of an archive may come to. */
#define WKI_ZIP_INFLATED_LIMIT ((uint64_t)1 << 30)

/* Reads and checks the whole archive. bytes and file (what messages call it) are borrowed until
 * wki_zip_close(), which is fine, and not needed, after a failure. Memory: about twice the directory's
 * size, and what deflated entries declare, at most 1032 times their compressed size. Errors:
 * WICK_EFORMAT with the byte or the entry, WICK_ELIMIT, WICK_ENOMEM. */
wick_status wki_zip_open(wki_zip *zip, wick_context *context, const char *file, const uint8_t *bytes,
                         size_t length);
void wki_zip_close(wki_zip *zip);
/* The entry of that name, or NULL. */
const wki_zip_entry *wki_zip_find(const wki_zip *zip, const char *name, size_t length);
/* Whether the reader takes such a name: UTF-8 without control characters or backslashes, relative, and
 * without empty, "." and ".." parts. A '/' may end it. */
bool wki_zip_name_ok(const char *name, size_t length);

/* ---- writing ---- */

/* Where a writer's bytes go. */
typedef wick_status wki_sink(void *user, const void *bytes, size_t length);

/* Writes as PyTorch's writer does, byte for byte: entries stored, their data aligned to 64 by an extra
 * field "FB", sizes and sum behind the data, no time stamp, zip64 records where a number needs them and
 * always at the end. */
typedef struct wki_zip_writer {
    wick_context *context;
    wki_sink *sink;
    void *user;
    uint64_t offset, count;
    uint64_t zip64_from; /* numbers from here on go to zip64 fields: 0xffffffff, or lower in tests */
    wki_text directory;
} wki_zip_writer;

void wki_zip_writer_init(wki_zip_writer *writer, wick_context *context, wki_sink *sink, void *user);
void wki_zip_writer_release(wki_zip_writer *writer);
/* Errors: the sink's, WICK_ENOMEM; WICK_EINVAL for a name that wki_zip_name_ok() refuses. */
wick_status wki_zip_writer_add(wki_zip_writer *writer, const char *name, const void *bytes, size_t size);
/* Writes the directory and the end records. */
wick_status wki_zip_writer_finish(wki_zip_writer *writer);

#endif

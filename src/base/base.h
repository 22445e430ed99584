/* What everything else stands on: messages, memory, text, files, sums, threads. */
#ifndef WKI_BASE_H
#define WKI_BASE_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <wick/context.h>

enum { WKI_MESSAGE_SIZE = 1024, WKI_MAX_THREADS = 1024, WKI_GENERATOR_BYTES = 2560 };

/* Multiply-adds, a few microseconds of them: a thread with less to do is not worth the meeting.
 * With WKI_SURE_WORK times as much in all there is no doubt that threads help; in between it is
 * tried out (plan/tuner.h). Where threads share a block, and so meet at every layer, there is doubt up to
 * WKI_SURE_WORK_SHARED times as much, a millisecond: at times the cores of a machine that has neighbours are so far apart
 * that two threads take half as long again as one. */
#define WKI_WORK_PER_THREAD  2e5
#define WKI_SURE_WORK        25
#define WKI_SURE_WORK_SHARED 1000

typedef struct wki_team wki_team;

struct wick_context {
    char message[WKI_MESSAGE_SIZE];
    char device[16];
    int threads;
    double work_per_thread; /* WKI_WORK_PER_THREAD; a test of threads makes it small */
    atomic_int interrupted;
    wki_team *team;          /* made when first needed; wki_context_team() */
    void *default_generator; /* tensor/random.c's, WKI_GENERATOR_BYTES of zeros until it is first used */
    const void *kernels;     /* cpu/cpu.c's table; chosen when first needed */
};

/* ---- messages ---- */

/* Sets the context's message and returns status: `return wki_fail(context, WICK_EINVAL, "…", …)`. */
wick_status wki_fail(wick_context *context, wick_status status, const char *format, ...)
    WICK_PRINTF(3, 4);
/* Puts "prefix: " before the message that is there, and returns status. */
wick_status wki_fail_in(wick_context *context, wick_status status, const char *format, ...)
    WICK_PRINTF(3, 4);

/* Leaves the function, or goes to its `out:` label (with a local `status`), when a call fails. */
#define WKI_TRY(call)                                                                                   \
    do {                                                                                                \
        wick_status wki_try_status = (call);                                                            \
        if (wki_try_status != WICK_OK)                                                                  \
            return wki_try_status;                                                                      \
    } while (0)
#define WKI_GOTO_OUT(call)                                                                              \
    do {                                                                                                \
        status = (call);                                                                                \
        if (status != WICK_OK)                                                                          \
            goto out;                                                                                   \
    } while (0)

#define WKI_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define WKI_MAX(a, b)    ((a) > (b) ? (a) : (b))
#define WKI_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- memory ---- */

/* What is as large as that begins at a multiple of it, where the system has such pages. */
enum { WKI_LARGE_PAGE = 2 << 20 };

/* count * size zeroed bytes, aligned to 64; at least one byte. *out is freed with free(). Much, from 64 MiB on, is asked
 * for only if the system says that it is there: it would grant more, and end the process later.
 * Errors: WICK_ENOMEM, saying how much was asked for and what for ("what", such as "a tensor"). */
wick_status wki_alloc(wick_context *context, size_t count, size_t size, const char *what, void **out);
/* The bytes that the line "NAME: ... kB" of /proc/meminfo's text says; UINT64_MAX if it says nothing. */
uint64_t wki_memory_said(const char *text, const char *name);
/* Grows an array to hold at least `need` elements of `size` bytes; *array may be NULL with
 * *capacity 0. What was there stays, also on failure. */
wick_status wki_grow(wick_context *context, void **array, size_t *capacity, size_t need, size_t size,
                     const char *what);
/* A copy of text, freed with free(). */
wick_status wki_strdup(wick_context *context, const char *text, char **out);
/* a * b, a + b in 64 bits without a sign; false if it does not fit. */
static inline bool wki_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool wki_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
static inline bool wki_mul_i64(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* ---- text ---- */

/* Text that grows. After a failed append everything is refused until release, so that only the last
 * call's status, or wki_text_finish()'s, needs to be looked at. */
typedef struct wki_text {
    wick_context *context;
    char *bytes; /* NUL-terminated once anything was appended */
    size_t length, capacity;
    wick_status status;
} wki_text;

void wki_text_init(wki_text *text, wick_context *context);
void wki_text_release(wki_text *text);
void wki_text_append(wki_text *text, const char *bytes, size_t length);
void wki_text_puts(wki_text *text, const char *string);
void wki_text_printf(wki_text *text, const char *format, ...) WICK_PRINTF(2, 3);
/* Appends the string as a JSON string, quoted and escaped. */
void wki_text_json(wki_text *text, const char *string);
/* Moves the text to *out (freed with free()) and releases the rest; on an earlier failure returns it. */
wick_status wki_text_finish(wki_text *text, char **out);

/* Whether these bytes are UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
bool wki_utf8_valid(const void *text, size_t length);
/* Which of the count words is nearest to word (changes of a letter and exchanges of two neighbours, case aside, at most a third of its length
 * away); NULL if none is. */
const char *wki_nearest(const char *word, const char *const *words, size_t count);
/* A number as Python's repr() writes a float: the shortest digits that give the same double back. */
void wki_repr(double number, char out[32]);

/* ---- files ---- */

/* A regular file that is read from its beginning on.
 * Errors: WICK_ENOENT, WICK_EIO with the path and the system's words (also if it shrank since it was
 * opened). */
typedef struct wki_reader {
    wick_context *context;
    const char *path; /* borrowed, for messages */
    int fd;
    uint64_t length, at; /* how long it was when it was opened; how much of it was read */
} wki_reader;

wick_status wki_reader_open(wki_reader *reader, wick_context *context, const char *path);
/* The next size bytes, all of them. */
wick_status wki_reader_read(wki_reader *reader, void *bytes, uint64_t size);
/* Fine after a failed open, and once fd, taken over by the caller, is -1. */
void wki_reader_close(wki_reader *reader);
/* Reads bytes from anywhere in a file, in any thread; false if they are not there. */
bool wki_file_read_at(int fd, uint64_t at, void *bytes, size_t length);

/* Reads a whole regular file into memory (freed with free()); an extra NUL follows the bytes.
 * Errors: WICK_ENOENT, WICK_EIO with the path and the system's words (also if it shrank while it
 * was read), WICK_ELIMIT if it is longer than limit, WICK_ENOMEM. */
wick_status wki_file_read(wick_context *context, const char *path, uint64_t limit, uint8_t **bytes,
                          size_t *length);

/* A file written under a temporary name in the same folder and renamed when it is whole. Where path is a
 * symbolic link, it stays one and the file that it leads to is written, as with other programs. */
typedef struct wki_writer {
    wick_context *context;
    int fd;
    char *path; /* for messages */
    char *target, *temporary;
    uint64_t offset;
    uint8_t *buffer;
    size_t buffered;
} wki_writer;

wick_status wki_writer_open(wki_writer *writer, wick_context *context, const char *path);
wick_status wki_writer_write(wki_writer *writer, const void *bytes, size_t length);
/* Flushes, syncs the file, renames it over path and syncs the folder; releases the writer either way. */
wick_status wki_writer_commit(wki_writer *writer);
/* Removes the temporary file and releases; fine after a commit or a failed open. */
void wki_writer_abort(wki_writer *writer);

/* The three above at once. */
wick_status wki_file_write(wick_context *context, const char *path, const void *bytes, size_t length);
/* mkdir -p. */
wick_status wki_make_folders(wick_context *context, const char *folder);
/* folder/name as text that the caller frees with free(). */
wick_status wki_join_path(wick_context *context, const char *folder, const char *name, char **out);
bool wki_file_exists(const char *path);

/* ---- sums ---- */

/* A secret for a hash table whose keys come from a file; one for each table. */
typedef struct wki_hash_key {
    uint64_t halves[2];
} wki_hash_key;

/* A random one. */
void wki_hash_key_new(wki_hash_key *key);
uint64_t wki_hash(const wki_hash_key *key, const void *bytes, size_t length);

/* SHA-256 of bytes as 64 hexadecimal digits. */
void wki_sha256(const void *bytes, size_t length, char out[65]);
wick_status wki_file_sha256(wick_context *context, const char *path, char out[65]);

/* ---- threads ---- */

/* Seconds from some fixed moment on, never going back. */
double wki_seconds(void);

/* How many cores this process may run on. */
int wki_usable_cores(void);

/* Work that every thread of a team runs at once: thread is 0 .. threads-1, 0 being the caller. */
typedef void wki_team_work(void *argument, int thread, int threads);

/* The context's team, made when first asked for and anew when the number of threads has changed. If
 * a thread cannot be started the team is smaller. */
wick_status wki_context_team(wick_context *context, wki_team **out);
/* A team of `threads` threads, the caller's among them. Freed with wki_team_free(); NULL is fine
 * there. */
wick_status wki_team_new(wick_context *context, int threads, wki_team **out);
void wki_team_free(wki_team *team);
/* How many threads it has, and how many it was asked to have. */
int wki_team_threads(const wki_team *team);
int wki_team_wanted(const wki_team *team);
/* Runs work on the first `threads` threads and returns when all are done. */
void wki_team_run(wki_team *team, int threads, wki_team_work *work, void *argument);
/* Within work: waits until all threads of this run are here. */
void wki_team_barrier(wki_team *team);

#endif

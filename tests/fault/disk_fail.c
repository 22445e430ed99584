/* Every call to the file system fails in turn, as on a full or broken disk: each failure is
 * WICK_EIO, and what was there before is there still, whole. Reads and writes also come in short
 * pieces and are interrupted. With the argument `shrink` it is each read in turn that finds the
 * file's end too early, as when a file is cut short while it is read.
 *
 * The linker's --wrap sends the library's calls here (meson.build lists them).
 */
#include "fault.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRACE = 16, DESCRIPTORS = 256 };

static struct {
    bool shrinks, armed, all;
    long count, fail_at, failed, calls;
    long open_files;
    bool written[DESCRIPTORS]; /* something was written to it */
    bool unsynced[DESCRIPTORS], unsynced_file, unsynced_folder;
    bool lost;        /* a call failed without which what was written may not be there */
    const char *name; /* of the first that failed */
    void *trace[TRACE];
    int depth;
} disk;

int __real_open64(const char *path, int flags, ...);
ssize_t __real_read(int fd, void *bytes, size_t length);
ssize_t __real_pread64(int fd, void *bytes, size_t length, off64_t at);
int __real_fcntl64(int fd, int command, ...);
ssize_t __real_write(int fd, const void *bytes, size_t length);
int __real_fsync(int fd);
int __real_close(int fd);
int __real_rename(const char *from, const char *to);
int __real_mkdir(const char *path, mode_t mode);
int __real_fstat64(int fd, struct stat64 *info);

int __wrap_open64(const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *bytes, size_t length);
ssize_t __wrap_pread64(int fd, void *bytes, size_t length, off64_t at);
int __wrap_fcntl64(int fd, int command, ...);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
int __wrap_fsync(int fd);
int __wrap_close(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_fstat64(int fd, struct stat64 *info);

/* Whether this call is one to fail, with error in errno. */
static bool fails(const char *name, int error)
{
    if (!disk.armed || (disk.shrinks && strcmp(name, "read") != 0))
        return false;
    disk.count++;
    if (disk.all ? disk.count < disk.fail_at : disk.count != disk.fail_at)
        return false;
    if (disk.failed++ == 0) {
        disk.name = name;
        disk.depth = backtrace(disk.trace, TRACE);
    }
    errno = error;
    return true;
}

/* The same for one that must not be passed over if what was written matters. */
static bool fails_to_keep(const char *name, int error, bool matters)
{
    if (!fails(name, error))
        return false;
    disk.lost = disk.lost || matters;
    return true;
}

static bool *written(int fd)
{
    FAULT_CHECK(fd >= 0 && fd < DESCRIPTORS);
    return &disk.written[fd];
}

/* Every third read or write is interrupted before it began; those of more than a few bytes are cut
 * short. */
static bool interrupted(size_t *length)
{
    if (!disk.armed)
        return false;
    if (*length > 3)
        *length = *length / 2 + 1;
    errno = EINTR;
    return ++disk.calls % 3 == 0;
}

int __wrap_open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (fails("open", (flags & O_CREAT) != 0 ? ENOSPC : EIO))
        return -1;
    int fd = __real_open64(path, flags, mode);
    disk.open_files += disk.armed && fd >= 0;
    return fd;
}

ssize_t __wrap_read(int fd, void *bytes, size_t length)
{
    if (interrupted(&length) || fails_to_keep("read", EIO, disk.shrinks))
        return disk.shrinks && errno != EINTR ? 0 : -1;
    return __real_read(fd, bytes, length);
}

/* One that fails may be passed over: a cache is then made anew. */
ssize_t __wrap_pread64(int fd, void *bytes, size_t length, off64_t at)
{
    if (interrupted(&length) || fails("read", EIO))
        return disk.shrinks && errno != EINTR ? 0 : -1;
    return __real_pread64(fd, bytes, length, at);
}

/* All that is used of it: a descriptor's copy. */
int __wrap_fcntl64(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    int least = va_arg(args, int);
    va_end(args);
    FAULT_CHECK(command == F_DUPFD_CLOEXEC);
    if (fails("fcntl", EMFILE))
        return -1;
    int copy = __real_fcntl64(fd, command, least);
    disk.open_files += disk.armed && copy >= 0;
    return copy;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    if (interrupted(&length) || fails_to_keep("write", ENOSPC, true))
        return -1;
    *written(fd) = disk.unsynced[fd] = true;
    return __real_write(fd, bytes, length);
}

/* What a crash must not undo: a file is synced before it is renamed, and its folder afterwards. */
int __wrap_fsync(int fd)
{
    if (fails_to_keep("fsync", EIO, *written(fd)))
        return -1;
    disk.unsynced_folder = disk.unsynced_folder && *written(fd);
    disk.unsynced[fd] = false;
    return __real_fsync(fd);
}

/* As Linux does: closed all the same. */
int __wrap_close(int fd)
{
    int result = __real_close(fd);
    bool matters = *written(fd);
    disk.open_files -= disk.armed && result == 0;
    disk.unsynced_file = disk.unsynced_file || disk.unsynced[fd];
    *written(fd) = disk.unsynced[fd] = false;
    return fails_to_keep("close", EDQUOT, matters) ? -1 : result;
}

int __wrap_rename(const char *from, const char *to)
{
    if (fails_to_keep("rename", ENOSPC, true))
        return -1;
    FAULT_CHECK(!disk.armed || disk.failed > 0 || !disk.unsynced_file);
    disk.unsynced_folder = disk.armed;
    return __real_rename(from, to);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return fails("mkdir", ENOSPC) ? -1 : __real_mkdir(path, mode);
}

int __wrap_fstat64(int fd, struct stat64 *info)
{
    return fails("fstat", EIO) ? -1 : __real_fstat64(fd, info);
}

static void arm(long n, bool all)
{
    disk.count = disk.failed = disk.open_files = 0;
    disk.lost = disk.unsynced_file = disk.unsynced_folder = false;
    disk.calls = n; /* another call is interrupted each time */
    disk.fail_at = n;
    disk.all = all;
    disk.armed = true;
}

static long disarm(void)
{
    disk.armed = false;
    bool unsynced = disk.unsynced_folder && disk.failed == 0;
    disk.unsynced_folder = false; /* fault_failed() comes here again */
    FAULT_CHECK(!unsynced);
    return disk.failed;
}

static long leaks(void)
{
    return disk.open_files;
}

static bool must_fail(void)
{
    return disk.lost;
}

static void check(const fault_scenario *scenario, wick_status status, const char *message)
{
    if (message[0] == '\0' || strchr(message, '/') == NULL)
        fault_failed(scenario->name, 0, "the message names no file");
    if (status != WICK_EIO) {
        char what[1280];
        snprintf(what, sizeof(what), "%s, not WICK_EIO: %s", wick_status_name(status), message);
        fault_failed(scenario->name, 0, what);
    }
}

/* For addr2line. */
static void explain(void)
{
    if (disk.name != NULL)
        fprintf(stderr, "which is %s, called from\n", disk.name);
    backtrace_symbols_fd(disk.trace, disk.depth, STDERR_FILENO);
}

int main(int argc, char **argv)
{
    disk.shrinks = argc > 1 && strcmp(argv[1], "shrink") == 0;
    const fault_kind kind = {.arm = arm,
                             .disarm = disarm,
                             .leaks = leaks,
                             .check = check,
                             .explain = explain,
                             .what = disk.shrinks ? "read" : "file call",
                             .must_fail = must_fail,
                             .may_be_idle = disk.shrinks};
    return fault_main(&kind);
}

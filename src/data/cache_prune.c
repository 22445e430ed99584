#include "data/cache_prune.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SUM_DIGITS = 64, DAY = 24 * 60 * 60, UNUSED_DAYS = 30, LONGEST_FOLDER = 4096 };

static const char ending[] = ".wick", half_written[] = ".tmp";

void wki_cache_touch(int fd)
{
    (void)futimens(fd, NULL);
}

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* After how many seconds without use a file of this name may go; 0: never, it is none of the cache's. */
static time_t lifetime(const char *name)
{
    if (strspn(name, "0123456789abcdef") != SUM_DIGITS ||
        strncmp(name + SUM_DIGITS, ending, strlen(ending)) != 0)
        return 0;
    const char *rest = name + SUM_DIGITS + strlen(ending);
    if (rest[0] == '\0')
        return (time_t)UNUSED_DAYS * DAY;
    return rest[0] == '.' && ends_in(rest, half_written) ? DAY : 0;
}

static void prune_file(int folder, const char *name, time_t now)
{
    struct stat info;
    time_t most = lifetime(name);
    if (most > 0 && fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
        info.st_mtime < now - most)
        (void)unlinkat(folder, name, 0);
}

void wki_cache_prune(const char *path)
{
    char folder[LONGEST_FOLDER];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    if (length == 0 || length >= sizeof(folder))
        return;
    memcpy(folder, path, length);
    folder[length] = '\0';
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return;
    const time_t now = time(NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strcmp(entry->d_name, slash + 1) != 0)
            prune_file(dirfd(dir), entry->d_name, now);
    closedir(dir);
}

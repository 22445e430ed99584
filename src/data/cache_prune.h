/* Cache files of folders of pictures that nobody uses any more. */
#ifndef WKI_CACHE_PRUNE_H
#define WKI_CACHE_PRUNE_H

/* Notes that the cache file in fd is in use: its modification time becomes now. A failure is none: the
 * file then counts as older than it is. */
void wki_cache_touch(int fd);

/* Beside the cache file `path`, which was just written, removes other cache files (SUM.wick, the sum being 64
 * hexadecimal digits) that were not touched for 30 days, and those that a writer which was killed left half
 * written (SUM.wick...tmp) more than a day ago. Only regular files; a file that cannot be removed stays. */
void wki_cache_prune(const char *path);

#endif

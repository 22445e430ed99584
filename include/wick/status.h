/* What a call came to.
 *
 * Every function of wick that can fail returns a wick_status. WICK_OK is zero; everything else is a
 * failure, and wick_context_message() then says what was wrong, where, and what would be right.
 * Results come through out-pointers, which are left untouched on failure unless a header says otherwise.
 */
#ifndef WICK_STATUS_H
#define WICK_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WICK_API                        __attribute__((visibility("default")))
#define WICK_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#else
#define WICK_API
#define WICK_PRINTF(format_at, args_at)
#endif

/* X(name, number, text). Numbers are stable: they never change their meaning. */
#define WICK_STATUS_LIST(X)                                                                             \
    X(OK, 0, "done")                                                                                    \
    X(EINVAL, 1, "a bad argument")                                                                      \
    X(ENOMEM, 2, "out of memory")                                                                       \
    X(EIO, 3, "reading or writing failed")                                                              \
    X(ENOENT, 4, "there is no such thing")                                                              \
    X(EEXIST, 5, "it is there already")                                                                 \
    X(EFORMAT, 6, "a file that is not what it should be")                                               \
    X(ESHAPE, 7, "shapes that do not fit together")                                                     \
    X(EKEY, 8, "state_dict keys that do not fit the model")                                             \
    X(EDEVICE, 9, "no such device here")                                                                \
    X(ENET, 10, "the download failed")                                                                  \
    X(EINTR, 11, "interrupted")                                                                         \
    X(ELIMIT, 12, "larger than the limit")                                                              \
    X(ENOTSUP, 13, "not supported by this build")                                                       \
    X(EBUSY, 14, "in use by another process")                                                           \
    X(EDIVERGED, 15, "the training diverged")

typedef enum wick_status {
#define WICK_STATUS_ENUM(name, number, text) WICK_##name = number,
    WICK_STATUS_LIST(WICK_STATUS_ENUM)
#undef WICK_STATUS_ENUM
} wick_status;

/* "WICK_EINVAL" for WICK_EINVAL; "WICK_?" for a number that is no status. Static; never NULL. */
WICK_API const char *wick_status_name(wick_status status);

/* A few words for people, such as "a bad argument". Static; never NULL. */
WICK_API const char *wick_status_text(wick_status status);

#ifdef __cplusplus
}
#endif
#endif

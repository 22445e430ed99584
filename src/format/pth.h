/* torch.save's files, for those inside. */
#ifndef WKI_PTH_H
#define WKI_PTH_H

#include "format/zip.h"

#include <wick/checkpoint.h>

/* Writes what wick_save() writes, with that archive name, to a sink. Errors: WICK_EINVAL for a key that
 * is not UTF-8, the sink's, WICK_ENOMEM. */
wick_status wki_pth_write(const wick_state_dict *dict, const char *archive, wki_sink *sink, void *user);
/* The archive name that torch.save takes for a path: its last part up to the last dot; "archive" where
 * that is no name for a folder. *out is freed with free(). */
wick_status wki_pth_archive_name(wick_context *context, const char *path, char **out);

#endif

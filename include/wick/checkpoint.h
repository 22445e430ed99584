/* Saving and loading state_dicts in PyTorch's format (torch.save, torch.load(weights_only=True)).
 *
 * The format is the zip archive that torch.save has written since PyTorch 1.6: a pickle (protocol
 * 2) and one stored entry a tensor. Loading never calls or builds anything that a file names: the
 * pickle is read by a machine that knows an OrderedDict or dict of tensors (and of plain values,
 * which are skipped) and refuses everything else. Every size is checked against the file before
 * memory is taken.
 */
#ifndef WICK_CHECKPOINT_H
#define WICK_CHECKPOINT_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* torch.save(dict, path): written to a temporary name beside path, synced, and renamed over it, so
 * that path is at every moment either what it was or whole. The bytes depend on the dict and on
 * path's file name alone.
 * Errors: WICK_EIO (with the path and what the system said), WICK_ENOMEM; path is then what it was. */
WICK_API wick_status wick_save(const wick_state_dict *dict, const char *path);

/* torch.load(path, weights_only=True). float32, float64, float16, bfloat16, int64, int32, int16,
 * int8, uint8 and bool tensors are read, in any strides that stay inside their storage; floating
 * ones become float32, integers int64, uint8 and bool uint8. A dict with a nested state_dict under
 * "state_dict", "model" or "model_state_dict" gives that one. *out is owned:
 * wick_state_dict_free().
 * Errors: WICK_ENOENT, WICK_EIO, WICK_EFORMAT (what is wrong, at which byte or entry), WICK_ELIMIT,
 * WICK_ENOMEM. */
WICK_API wick_status wick_load(wick_context *context, const char *path, wick_state_dict **out);
/* The same from memory; name is what messages call it. */
WICK_API wick_status wick_load_memory(wick_context *context, const char *name, const void *bytes,
                                      size_t length, wick_state_dict **out);

#ifdef __cplusplus
}
#endif
#endif

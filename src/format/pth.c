/* Reads what torch.save has written since PyTorch 1.6. */
#include "format/pth.h"

#include "format/bytes.h"
#include "format/pickle.h"
#include "format/scalar.h"
#include "tensor/tensor_internal.h"

#include <stdlib.h>
#include <string.h>

/* The most that a file may be. Reading one takes its length in memory, and the tensors. */
#define LENGTH_LIMIT ((uint64_t)1 << 36)
/* Tensors may take as much as this and 16 times the file: an int8 becomes an int64, and two tensors may
 * share a storage, but one stored number expanded to a billion is refused. */
#define TENSORS_FREE ((uint64_t)64 << 20)
/* Counted for the tensor itself, be it empty. */
enum { TENSORS_TIMES = 16, TENSOR_OVERHEAD = 256 };

typedef struct loader {
    wick_context *context;
    const char *file;
    uint64_t budget; /* bytes that tensors may still take */
    wki_zip zip;
    const char *folder; /* "model/", in the file's bytes */
    size_t folder_length;
    wki_storage *storages; /* one an entry */
} loader;

/* ---- what is in the archive ---- */

static const wki_zip_entry *find_entry(const loader *load, const char *prefix, const char *name,
                                       size_t length)
{
    char path[512];
    size_t front = strlen(prefix);
    if (load->folder_length + front + length > sizeof(path))
        return NULL;
    memcpy(path, load->folder, load->folder_length);
    memcpy(path + load->folder_length, prefix, front);
    memcpy(path + load->folder_length + front, name, length);
    return wki_zip_find(&load->zip, path, load->folder_length + front + length);
}

static const wki_zip_entry *find_record(const loader *load, const char *name)
{
    return find_entry(load, "", name, strlen(name));
}

static wki_storage *find_storage(void *user, const char *key, size_t length)
{
    loader *load = user;
    const wki_zip_entry *entry = find_entry(load, "data/", key, length);
    return entry == NULL ? NULL : &load->storages[entry - load->zip.entries];
}

static wick_status bad(const loader *load, const char *what)
{
    return wki_fail(load->context, WICK_EFORMAT, "%s: %s", load->file, what);
}

/* torch.save puts everything into one folder, which is named as the file was. */
static wick_status check_folder(loader *load)
{
    const wki_zip_entry *first = load->zip.entries;
    const char *slash = load->zip.count == 0 ? NULL : memchr(first->name, '/', first->name_length);
    if (slash == NULL)
        return bad(load, "is a zip archive, but not one of torch.save");
    load->folder = first->name;
    load->folder_length = (size_t)(slash - first->name) + 1;
    for (size_t i = 1; i < load->zip.count; i++) {
        const wki_zip_entry *entry = &first[i];
        if (entry->name_length < load->folder_length ||
            memcmp(entry->name, load->folder, load->folder_length) != 0) {
            char name[WKI_QUOTED];
            return wki_fail(load->context, WICK_EFORMAT,
                            "%s: entry '%s': is not in the one folder that a file of torch.save has",
                            load->file, wki_quote(entry->name, entry->name_length, name));
        }
    }
    return WICK_OK;
}

static bool entry_is(const wki_zip_entry *entry, const char *text)
{
    return entry->size == strlen(text) && memcmp(entry->bytes, text, entry->size) == 0;
}

/* "3\n"; PyTorch itself reads 1 to 10. */
static bool known_version(const wki_zip_entry *entry)
{
    size_t length = (size_t)entry->size;
    const uint8_t *digit = entry->bytes;
    if (length > 0 && digit[length - 1] == '\n')
        length--;
    return (length == 1 && digit[0] >= '1' && digit[0] <= '9') ||
           (length == 2 && memcmp(digit, "10", 2) == 0);
}

static wick_status check_records(const loader *load)
{
    const wki_zip_entry *version = find_record(load, "version");
    const wki_zip_entry *order = find_record(load, "byteorder");
    if (version == NULL)
        version = find_record(load, ".data/version");
    if (version == NULL || find_record(load, "data.pkl") == NULL)
        return bad(load, "is a zip archive, but not one of torch.save: data.pkl or version is missing");
    if (find_record(load, "constants.pkl") != NULL)
        return bad(load, "is a TorchScript program (torch.jit.save); save its state_dict: "
                         "torch.save(torch.jit.load(FILE).state_dict(), FILE)");
    if (!known_version(version))
        return bad(load, "entry 'version': is not a number from 1 to 10");
    if (order != NULL && entry_is(order, "big"))
        return bad(
            load,
            "entry 'byteorder': the file was written on a big-endian machine; load it in PyTorch and "
            "save it again on a little-endian one");
    if (order != NULL && !entry_is(order, "little"))
        return bad(load, "entry 'byteorder': is neither little nor big");
    return WICK_OK;
}

/* ---- which dict ---- */

static bool key_is(const wki_value *key, const char *word)
{
    return key->kind == WKI_VALUE_TEXT && key->length == strlen(word) &&
           memcmp(key->text, word, key->length) == 0;
}

/* The dict under that key, or NULL. */
static const wki_dict *dict_under(const wki_dict *dict, const char *word)
{
    for (size_t i = 0; i < dict->count; i++)
        if (key_is(&dict->pairs[i].key, word) && dict->pairs[i].value.kind == WKI_VALUE_DICT)
            return dict->pairs[i].value.dict;
    return NULL;
}

static int compare_keys(const void *a, const void *b)
{
    const wki_value *x = &(*(const wki_pair *const *)a)->key, *y = &(*(const wki_pair *const *)b)->key;
    if (x->kind != WKI_VALUE_TEXT || y->kind != WKI_VALUE_TEXT)
        return (x->kind == WKI_VALUE_TEXT) - (y->kind == WKI_VALUE_TEXT);
    int order = memcmp(x->text, y->text, WKI_MIN(x->length, y->length));
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

/* A key that was set twice could mean either value. */
static wick_status check_keys(const loader *load, const wki_dict *dict)
{
    void *memory;
    WKI_TRY(wki_alloc(load->context, dict->count, sizeof(wki_pair *), "the keys of a dict", &memory));
    const wki_pair **sorted = memory;
    wick_status status = WICK_OK;
    for (size_t i = 0; i < dict->count; i++)
        sorted[i] = &dict->pairs[i];
    qsort(sorted, dict->count, sizeof(*sorted), compare_keys);
    for (size_t i = 1; i < dict->count && status == WICK_OK; i++) {
        const wki_value *key = &sorted[i]->key;
        if (key->kind == WKI_VALUE_TEXT && compare_keys(&sorted[i - 1], &sorted[i]) == 0) {
            char name[WKI_QUOTED];
            status = wki_fail(load->context, WICK_EFORMAT, "%s: data.pkl: the key '%s' is there twice",
                              load->file, wki_quote(key->text, key->length, name));
        }
    }
    free(sorted);
    return status;
}

/* Shows the first keys there are, as a checkpoint may keep its state_dict under another one. */
static wick_status no_tensors(const loader *load, const wki_dict *dict)
{
    char keys[4 * WKI_QUOTED] = "";
    size_t used = 0;
    for (size_t i = 0; i < dict->count && used < 2 * WKI_QUOTED; i++) {
        const wki_value *key = &dict->pairs[i].key;
        char quoted[WKI_QUOTED];
        if (key->kind == WKI_VALUE_TEXT)
            used += (size_t)snprintf(keys + used, sizeof(keys) - used, " '%s'",
                                     wki_quote(key->text, key->length, quoted));
    }
    return wki_fail(
        load->context, WICK_EFORMAT,
        "%s: data.pkl: no tensors are here, nor under 'state_dict', 'model' or 'model_state_dict'; the "
        "keys are%s",
        load->file, used > 0 ? keys : " no text");
}

/* The state_dict of what was saved: the dict itself, or the one that a checkpoint keeps. */
static wick_status choose_dict(const loader *load, const wki_value *value, const wki_dict **out)
{
    static const char *const keys[] = {"state_dict", "model", "model_state_dict"};
    const wki_dict *nested = NULL;
    if (value->kind != WKI_VALUE_DICT)
        return wki_fail(load->context, WICK_EFORMAT, "%s: data.pkl: holds %s; it must be a state_dict",
                        load->file, wki_value_name(value->kind));
    WKI_TRY(check_keys(load, value->dict));
    for (size_t i = 0; i < WKI_COUNT(keys) && nested == NULL; i++)
        nested = dict_under(value->dict, keys[i]);
    *out = nested != NULL ? nested : value->dict;
    return nested != NULL ? check_keys(load, nested) : WICK_OK;
}

/* ---- tensors ---- */

static wick_status make_tensor(loader *load, const wki_pickled_tensor *from, wick_tensor **out)
{
    int64_t shape[WICK_MAX_DIMS];
    int ndim = (int)from->size->count;
    wick_dtype dtype = wki_scalar_dtype(from->storage->scalar);
    uint64_t bytes;
    for (int i = 0; i < ndim; i++)
        shape[i] = from->size->items[i].integer;
    if (!wki_mul_u64(from->numel, wick_dtype_size(dtype), &bytes) ||
        !wki_add_u64(bytes, TENSOR_OVERHEAD, &bytes) || bytes > load->budget)
        return wki_fail(load->context, WICK_ELIMIT,
                        "the tensors would take more than %d MiB and %d times the file's size",
                        (int)(TENSORS_FREE >> 20), TENSORS_TIMES);
    load->budget -= bytes;
    WKI_TRY(wick_tensor_new(load->context, dtype, ndim, shape, out));
    wki_scalar_gather(from, *out);
    return WICK_OK;
}

static wick_status add_tensor(loader *load, const char *key, const wki_value *value,
                              wick_state_dict *dict)
{
    wick_tensor *tensor = NULL;
    wick_status status = make_tensor(load, value->tensor, &tensor);
    if (status == WICK_OK)
        status = wick_state_dict_add(dict, key, tensor);
    if (status == WICK_OK)
        return WICK_OK;
    wick_tensor_free(tensor);
    char quoted[WKI_QUOTED];
    /* What a tensor takes for a bad argument of ours is the file's bad shape. */
    return wki_fail_in(load->context, status == WICK_EINVAL ? WICK_EFORMAT : status,
                       "%s: data.pkl: '%s'", load->file, wki_quote(key, strlen(key), quoted));
}

static wick_status add_pair(loader *load, const wki_pair *pair, wick_state_dict *dict)
{
    if (pair->value.kind != WKI_VALUE_TENSOR)
        return WICK_OK;
    if (pair->key.kind != WKI_VALUE_TEXT)
        return wki_fail(load->context, WICK_EFORMAT,
                        "%s: data.pkl: the key of a tensor is %s; it must be text", load->file,
                        wki_value_name(pair->key.kind));
    if (memchr(pair->key.text, '\0', pair->key.length) != NULL)
        return bad(load, "data.pkl: the key of a tensor has a NUL in it");
    void *memory;
    WKI_TRY(wki_alloc(load->context, pair->key.length + (size_t)1, 1, "a key", &memory));
    memcpy(memory, pair->key.text, pair->key.length);
    wick_status status = add_tensor(load, memory, &pair->value, dict);
    free(memory);
    return status;
}

static wick_status fill_dict(loader *load, const wki_dict *from, wick_state_dict *dict)
{
    for (size_t i = 0; i < from->count; i++)
        WKI_TRY(add_pair(load, &from->pairs[i], dict));
    if (from->count > 0 && wick_state_dict_count(dict) == 0)
        return no_tensors(load, from);
    return WICK_OK;
}

/* ---- loading ---- */

static wick_status load_value(loader *load, const wki_value *value, wick_state_dict **out)
{
    const wki_dict *chosen;
    wick_state_dict *dict;
    WKI_TRY(choose_dict(load, value, &chosen));
    WKI_TRY(wick_state_dict_new(load->context, &dict));
    wick_status status = fill_dict(load, chosen, dict);
    if (status == WICK_OK)
        *out = dict;
    else
        wick_state_dict_free(dict);
    return status;
}

static wick_status load_archive(loader *load, wick_state_dict **out)
{
    void *memory;
    wki_pickle *pickle;
    WKI_TRY(check_folder(load));
    WKI_TRY(check_records(load));
    WKI_TRY(wki_alloc(load->context, load->zip.count, sizeof(*load->storages), "the storages of a file",
                      &memory));
    load->storages = memory;
    for (size_t i = 0; i < load->zip.count; i++)
        load->storages[i] =
            (wki_storage){.bytes = load->zip.entries[i].bytes, .length = load->zip.entries[i].size};
    const wki_zip_entry *entry = find_record(load, "data.pkl");
    WKI_TRY(wki_pickle_read(load->context, load->file, entry->bytes, (size_t)entry->size, find_storage,
                            load, &pickle));
    wick_status status = load_value(load, wki_pickle_value(pickle), out);
    wki_pickle_free(pickle);
    return status;
}

/* What is no zip archive, but known. */
static wick_status check_legacy(const loader *load, const uint8_t *bytes, size_t length)
{
    static const char magic[] = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    size_t size = sizeof(magic) - 1;
    bool pickled = length >= 2 && bytes[0] == 0x80 && bytes[1] <= 5;
    bool legacy = pickled && length >= 2 + size && memcmp(bytes + 2, magic, size) == 0;
    bool tar = length >= 262 && memcmp(bytes + 257, "ustar", 5) == 0;
    if (legacy || tar)
        return bad(
            load,
            "is in the format that torch.save wrote before PyTorch 1.6; save it again with a newer one: "
            "torch.save(torch.load(FILE), FILE)");
    if (pickled)
        return bad(load, "is a bare pickle, not a file of torch.save");
    return WICK_OK;
}

wick_status wick_load_memory(wick_context *context, const char *name, const void *bytes, size_t length,
                             wick_state_dict **out)
{
    if (context == NULL)
        return WICK_EINVAL;
    if (out == NULL || (bytes == NULL && length > 0))
        return wki_fail(context, WICK_EINVAL, "there is nothing to load from, or nowhere to load to");
    loader load = {.context = context, .file = name == NULL ? "memory" : name};
    WKI_TRY(check_legacy(&load, bytes, length));
    WKI_TRY(wki_zip_open(&load.zip, context, load.file, bytes, length));
    load.budget = TENSORS_FREE + TENSORS_TIMES * (uint64_t)(length + load.zip.inflated);
    wick_status status = load_archive(&load, out);
    free(load.storages);
    wki_zip_close(&load.zip);
    return status;
}

wick_status wick_load(wick_context *context, const char *path, wick_state_dict **out)
{
    uint8_t *bytes;
    size_t length;
    if (context == NULL)
        return WICK_EINVAL;
    if (path == NULL || out == NULL)
        return wki_fail(context, WICK_EINVAL, "the path to load from, or the place to load to, is NULL");
    WKI_TRY(wki_file_read(context, path, LENGTH_LIMIT, &bytes, &length));
    wick_status status = wick_load_memory(context, path, bytes, length, out);
    free(bytes);
    return status;
}

#include "tensor/tensor_internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    char *key;
    wick_tensor *tensor;
} entry;

/* The entries in the order they came, and a hash table of their places, so that a file of very many keys
 * is read in a time that grows with their number, not with its square: also one whose keys were chosen to
 * meet in one slot, for the hash is under a secret that no file can know. */
struct wick_state_dict {
    wick_context *context;
    wki_hash_key secret;
    entry *entries;
    size_t count, capacity;
    size_t *slots;     /* 1 more than an entry's place; 0: free */
    size_t slot_count; /* a power of two, at least twice the number of entries; 0 at first */
};

wick_status wick_state_dict_new(wick_context *context, wick_state_dict **out)
{
    if (context == NULL || out == NULL)
        return WICK_EINVAL;
    void *memory;
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_state_dict), "a state_dict", &memory));
    wick_state_dict *dict = memory;
    dict->context = context;
    wki_hash_key_new(&dict->secret);
    *out = dict;
    return WICK_OK;
}

void wick_state_dict_free(wick_state_dict *dict)
{
    if (dict == NULL)
        return;
    for (size_t i = 0; i < dict->count; i++) {
        free(dict->entries[i].key);
        wick_tensor_free(dict->entries[i].tensor);
    }
    free(dict->entries);
    free(dict->slots);
    free(dict);
}

wick_context *wki_state_dict_context(const wick_state_dict *dict)
{
    return dict->context;
}

int64_t wick_state_dict_count(const wick_state_dict *dict)
{
    return (int64_t)dict->count;
}

const char *wick_state_dict_key(const wick_state_dict *dict, int64_t index)
{
    return index >= 0 && index < (int64_t)dict->count ? dict->entries[index].key : NULL;
}

wick_tensor *wick_state_dict_tensor(const wick_state_dict *dict, int64_t index)
{
    return index >= 0 && index < (int64_t)dict->count ? dict->entries[index].tensor : NULL;
}

static size_t first_slot(const wick_state_dict *dict, const char *key)
{
    return (size_t)wki_hash(&dict->secret, key, strlen(key)) & (dict->slot_count - 1);
}

/* The slot of the key, or the free one where it would go. There must be slots. */
static size_t find_slot(const wick_state_dict *dict, const char *key)
{
    size_t slot = first_slot(dict, key);
    while (dict->slots[slot] != 0 && strcmp(dict->entries[dict->slots[slot] - 1].key, key) != 0)
        slot = (slot + 1) & (dict->slot_count - 1);
    return slot;
}

wick_tensor *wick_state_dict_get(const wick_state_dict *dict, const char *key)
{
    if (key == NULL || dict->slot_count == 0)
        return NULL;
    size_t place = dict->slots[find_slot(dict, key)];
    return place == 0 ? NULL : dict->entries[place - 1].tensor;
}

int64_t wki_state_dict_longest_way(const wick_state_dict *dict)
{
    size_t longest = 0;
    for (size_t i = 0; i < dict->count; i++) {
        const char *key = dict->entries[i].key;
        size_t steps = (find_slot(dict, key) - first_slot(dict, key)) & (dict->slot_count - 1);
        longest = WKI_MAX(longest, steps + 1);
    }
    return (int64_t)longest;
}

/* Makes room for one entry more. */
static wick_status reserve(wick_state_dict *dict)
{
    WKI_TRY(wki_grow(dict->context, (void **)&dict->entries, &dict->capacity, dict->count + 1,
                     sizeof(entry), "a state_dict"));
    if ((dict->count + 1) * 2 <= dict->slot_count)
        return WICK_OK;
    size_t slot_count = WKI_MAX(dict->slot_count * 2, 16);
    void *slots;
    WKI_TRY(wki_alloc(dict->context, slot_count, sizeof(size_t), "a state_dict", &slots));
    free(dict->slots);
    dict->slots = slots;
    dict->slot_count = slot_count;
    for (size_t i = 0; i < dict->count; i++)
        dict->slots[find_slot(dict, dict->entries[i].key)] = i + 1;
    return WICK_OK;
}

wick_status wick_state_dict_add(wick_state_dict *dict, const char *key, wick_tensor *tensor)
{
    if (dict == NULL)
        return WICK_EINVAL;
    if (key == NULL || tensor == NULL)
        return wki_fail(dict->context, WICK_EINVAL, "the %s to add to a state_dict is NULL",
                        key == NULL ? "key" : "tensor");
    WKI_TRY(reserve(dict));
    size_t slot = find_slot(dict, key);
    if (dict->slots[slot] != 0)
        return wki_fail(dict->context, WICK_EEXIST, "the state_dict has a tensor '%s' already", key);
    char *copy;
    WKI_TRY(wki_strdup(dict->context, key, &copy));
    dict->entries[dict->count] = (entry){.key = copy, .tensor = tensor};
    dict->count++;
    dict->slots[slot] = dict->count;
    return WICK_OK;
}

/* ---- numbers, and dicts in dicts ---- */

static wick_status add_or_free(wick_state_dict *dict, const char *key, wick_tensor *tensor)
{
    wick_status status = wick_state_dict_add(dict, key, tensor);
    if (status != WICK_OK)
        wick_tensor_free(tensor);
    return status;
}

static wick_status add_new(wick_state_dict *dict, const char *key, wick_dtype dtype, int ndim,
                           int64_t size, const void *data)
{
    wick_tensor *tensor;
    WKI_TRY(wick_tensor_from(dict->context, dtype, ndim, &size, data, &tensor));
    return add_or_free(dict, key, tensor);
}

wick_status wki_state_dict_add_i64(wick_state_dict *dict, const char *key, int64_t number)
{
    return add_new(dict, key, WICK_INT64, 0, 0, &number);
}

wick_status wki_state_dict_add_f64(wick_state_dict *dict, const char *key, double number)
{
    int64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return wki_state_dict_add_i64(dict, key, bits);
}

wick_status wki_state_dict_add_generator(wick_state_dict *dict, const char *key,
                                         const uint8_t state[WICK_GENERATOR_STATE_SIZE])
{
    return add_new(dict, key, WICK_UINT8, 1, WICK_GENERATOR_STATE_SIZE, state);
}

static wick_status find(const wick_state_dict *dict, const char *key, wick_dtype dtype, int ndim,
                        int64_t numel, const wick_tensor **out)
{
    const wick_tensor *tensor = wick_state_dict_get(dict, key);
    if (tensor == NULL)
        return wki_fail(dict->context, WICK_EKEY, "'%s' is missing", key);
    if (tensor->dtype != dtype || tensor->ndim != ndim || tensor->numel != numel) {
        char text[WKI_SHAPE_TEXT];
        return wki_fail(dict->context, WICK_EFORMAT, "'%s' is %s %s; it must be %lld of %s", key,
                        wick_dtype_name(tensor->dtype),
                        wki_shape_text(tensor->ndim, tensor->shape, text), (long long)numel,
                        wick_dtype_name(dtype));
    }
    *out = tensor;
    return WICK_OK;
}

wick_status wki_state_dict_get_i64(const wick_state_dict *dict, const char *key, int64_t min,
                                   int64_t max, int64_t *out)
{
    const wick_tensor *tensor;
    WKI_TRY(find(dict, key, WICK_INT64, 0, 1, &tensor));
    int64_t number = *(const int64_t *)tensor->data;
    if (number < min || number > max)
        return wki_fail(dict->context, WICK_EFORMAT, "'%s' is %lld; it must be %lld to %lld", key,
                        (long long)number, (long long)min, (long long)max);
    *out = number;
    return WICK_OK;
}

wick_status wki_state_dict_get_f64(const wick_state_dict *dict, const char *key, double *out)
{
    int64_t bits = 0;
    WKI_TRY(wki_state_dict_get_i64(dict, key, INT64_MIN, INT64_MAX, &bits));
    memcpy(out, &bits, sizeof(bits));
    return WICK_OK;
}

wick_status wki_state_dict_get_generator(const wick_state_dict *dict, const char *key,
                                         const uint8_t **state)
{
    const wick_tensor *tensor;
    WKI_TRY(find(dict, key, WICK_UINT8, 1, WICK_GENERATOR_STATE_SIZE, &tensor));
    *state = tensor->data;
    return WICK_OK;
}

static wick_status move_in(wick_state_dict *dict, const char *prefix, entry *moved)
{
    wki_text key;
    char *whole;
    wki_text_init(&key, dict->context);
    wki_text_puts(&key, prefix);
    wki_text_puts(&key, moved->key);
    WKI_TRY(wki_text_finish(&key, &whole));
    wick_status status = wick_state_dict_add(dict, whole, moved->tensor);
    if (status == WICK_OK)
        moved->tensor = NULL;
    free(whole);
    return status;
}

wick_status wki_state_dict_add_part(wick_state_dict *dict, const char *prefix, wick_state_dict *part)
{
    wick_status status = WICK_OK;
    for (size_t i = 0; i < part->count && status == WICK_OK; i++)
        status = move_in(dict, prefix, &part->entries[i]);
    wick_state_dict_free(part);
    return status;
}

wick_status wki_state_dict_part(const wick_state_dict *dict, const char *prefix, wick_state_dict **out)
{
    wick_state_dict *part;
    size_t length = strlen(prefix);
    WKI_TRY(wick_state_dict_new(dict->context, &part));
    wick_status status = WICK_OK;
    for (size_t i = 0; i < dict->count && status == WICK_OK; i++) {
        const entry *from = &dict->entries[i];
        wick_tensor *copy;
        if (strncmp(from->key, prefix, length) != 0)
            continue;
        status = wick_tensor_clone(from->tensor, &copy);
        if (status == WICK_OK)
            status = add_or_free(part, from->key + length, copy);
    }
    if (status == WICK_OK)
        *out = part;
    else
        wick_state_dict_free(part);
    return status;
}

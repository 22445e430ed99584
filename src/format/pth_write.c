/* Writes a state_dict as torch.save writes an OrderedDict of tensors, opcode for opcode and byte for
 * byte; only the entry .data/serialization_id, which nothing reads, is left out. */
#include "format/bytes.h"
#include "format/pth.h"
#include "tensor/tensor_internal.h"

#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are written as they lie in memory, which the archive says is little-endian"
#endif

/* How many items Python's pickler sets at once. */
enum { BATCH = 1000 };

/* Where a value was memoized; -1 before it was. */
typedef int64_t memo;

typedef struct pickler {
    wki_text out;
    memo next;
    memo ordered_dict, rebuild, storage_word, cpu;
    memo storages[3]; /* by wick_dtype */
} pickler;

static void put_code(pickler *p, char code)
{
    wki_text_append(&p->out, &code, 1);
}

/* An opcode with a number of `size` bytes. */
static void put_number(pickler *p, char code, uint64_t number, int size)
{
    uint8_t bytes[8];
    wki_put(bytes, number, size);
    put_code(p, code);
    wki_text_append(&p->out, (const char *)bytes, (size_t)size);
}

/* Memoizes the value just written. */
static memo put_memo(pickler *p)
{
    memo index = p->next++;
    if (index < 256)
        put_number(p, 'q', (uint64_t)index, 1);
    else
        put_number(p, 'r', (uint64_t)index, 4);
    return index;
}

/* Refers to a memo, if there is one. */
static bool get_memo(pickler *p, memo index)
{
    if (index < 0)
        return false;
    if (index < 256)
        put_number(p, 'h', (uint64_t)index, 1);
    else
        put_number(p, 'j', (uint64_t)index, 4);
    return true;
}

/* A number that is not negative. */
static void put_int(pickler *p, int64_t number)
{
    if (number < 1 << 8) {
        put_number(p, 'K', (uint64_t)number, 1);
    } else if (number < 1 << 16) {
        put_number(p, 'M', (uint64_t)number, 2);
    } else if (number <= INT32_MAX) {
        put_number(p, 'J', (uint64_t)number, 4);
    } else {
        /* The fewest bytes that leave the sign clear. */
        int size = 5;
        uint8_t bytes[8];
        while (size < 8 && number >> (8 * size - 1) != 0)
            size++;
        wki_put(bytes, (uint64_t)number, 8);
        put_number(p, '\x8a', (uint64_t)size, 1);
        wki_text_append(&p->out, (const char *)bytes, (size_t)size);
    }
}

static memo put_text(pickler *p, const char *text)
{
    put_number(p, 'X', strlen(text), 4);
    wki_text_puts(&p->out, text);
    return put_memo(p);
}

static memo put_global(pickler *p, const char *module, const char *name)
{
    wki_text_printf(&p->out, "c%s\n%s\n", module, name);
    return put_memo(p);
}

static void put_ordered_dict(pickler *p)
{
    if (!get_memo(p, p->ordered_dict))
        p->ordered_dict = put_global(p, "collections", "OrderedDict");
    wki_text_puts(&p->out, ")R");
    put_memo(p);
}

static void put_ints(pickler *p, int count, const int64_t *numbers)
{
    if (count > 3)
        put_code(p, '(');
    for (int i = 0; i < count; i++)
        put_int(p, numbers[i]);
    if (count == 0)
        put_code(p, ')');
    else
        put_code(p, count > 3 ? 't' : (char)(0x84 + count));
    if (count > 0)
        put_memo(p);
}

/* ('storage', class, key, 'cpu', number of elements) as a persistent id. */
static void put_storage(pickler *p, const wick_tensor *tensor, int64_t index)
{
    static const char *const classes[] = {"FloatStorage", "ByteStorage", "LongStorage"};
    char key[24];
    snprintf(key, sizeof(key), "%lld", (long long)index);
    put_code(p, '(');
    if (!get_memo(p, p->storage_word))
        p->storage_word = put_text(p, "storage");
    if (!get_memo(p, p->storages[tensor->dtype]))
        p->storages[tensor->dtype] = put_global(p, "torch", classes[tensor->dtype]);
    put_text(p, key);
    if (!get_memo(p, p->cpu))
        p->cpu = put_text(p, "cpu");
    put_int(p, tensor->numel);
    put_code(p, 't');
    put_memo(p);
    put_code(p, 'Q');
}

static void put_tensor(pickler *p, const wick_tensor *tensor, int64_t index)
{
    int64_t stride[WICK_MAX_DIMS], step = 1;
    for (int i = tensor->ndim - 1; i >= 0; i--) {
        stride[i] = step;
        step *= WKI_MAX(tensor->shape[i], 1);
    }
    if (!get_memo(p, p->rebuild))
        p->rebuild = put_global(p, "torch._utils", "_rebuild_tensor_v2");
    put_code(p, '(');
    put_storage(p, tensor, index);
    put_int(p, 0);
    put_ints(p, tensor->ndim, tensor->shape);
    put_ints(p, tensor->ndim, stride);
    put_code(p, '\x89');
    put_ordered_dict(p);
    put_code(p, 't');
    put_memo(p);
    put_code(p, 'R');
    put_memo(p);
}

static void put_items(pickler *p, const wick_state_dict *dict)
{
    int64_t count = wick_state_dict_count(dict);
    for (int64_t from = 0; from < count; from += BATCH) {
        int64_t to = WKI_MIN(from + BATCH, count);
        if (to - from > 1)
            put_code(p, '(');
        for (int64_t i = from; i < to; i++) {
            put_text(p, wick_state_dict_key(dict, i));
            put_tensor(p, wick_state_dict_tensor(dict, i), i);
        }
        put_code(p, to - from > 1 ? 'u' : 's');
    }
}

/* The pickle; out is released by the caller. */
static wick_status put_pickle(pickler *p, const wick_state_dict *dict)
{
    *p = (pickler){
        .ordered_dict = -1, .rebuild = -1, .storage_word = -1, .cpu = -1, .storages = {-1, -1, -1}};
    wki_text_init(&p->out, wki_state_dict_context(dict));
    wki_text_puts(&p->out, "\x80\x02");
    put_ordered_dict(p);
    put_items(p, dict);
    put_code(p, '.');
    return p->out.status;
}

/* ---- the archive ---- */

static wick_status check_keys(const wick_state_dict *dict)
{
    char quoted[WKI_QUOTED];
    for (int64_t i = 0; i < wick_state_dict_count(dict); i++) {
        const char *key = wick_state_dict_key(dict, i);
        if (!wki_utf8_valid(key, strlen(key)))
            return wki_fail(wki_state_dict_context(dict), WICK_EINVAL, "the key '%s' is not UTF-8",
                            wki_quote(key, strlen(key), quoted));
    }
    return WICK_OK;
}

static wick_status add_entry(wki_zip_writer *zip, const char *archive, const char *name,
                             const void *bytes, size_t length)
{
    char *path;
    WKI_TRY(wki_join_path(zip->context, archive, name, &path));
    wick_status status = wki_zip_writer_add(zip, path, bytes, length);
    free(path);
    return status;
}

static wick_status add_tensors(wki_zip_writer *zip, const char *archive, const wick_state_dict *dict)
{
    for (int64_t i = 0; i < wick_state_dict_count(dict); i++) {
        char name[32];
        const wick_tensor *tensor = wick_state_dict_tensor(dict, i);
        snprintf(name, sizeof(name), "data/%lld", (long long)i);
        WKI_TRY(add_entry(zip, archive, name, tensor->data,
                          (size_t)tensor->numel * wick_dtype_size(tensor->dtype)));
    }
    return WICK_OK;
}

static wick_status add_all(wki_zip_writer *zip, const char *archive, const wki_text *pickle,
                           const wick_state_dict *dict)
{
    WKI_TRY(add_entry(zip, archive, "data.pkl", pickle->bytes, pickle->length));
    WKI_TRY(add_entry(zip, archive, ".format_version", "1", 1));
    WKI_TRY(add_entry(zip, archive, ".storage_alignment", "64", 2));
    WKI_TRY(add_entry(zip, archive, "byteorder", "little", 6));
    WKI_TRY(add_tensors(zip, archive, dict));
    WKI_TRY(add_entry(zip, archive, "version", "3\n", 2));
    return wki_zip_writer_finish(zip);
}

wick_status wki_pth_write(const wick_state_dict *dict, const char *archive, wki_sink *sink, void *user)
{
    pickler p;
    wki_zip_writer zip;
    WKI_TRY(check_keys(dict));
    wki_zip_writer_init(&zip, wki_state_dict_context(dict), sink, user);
    wick_status status = put_pickle(&p, dict);
    if (status == WICK_OK)
        status = add_all(&zip, archive, &p.out, dict);
    wki_zip_writer_release(&zip);
    wki_text_release(&p.out);
    return status;
}

wick_status wki_pth_archive_name(wick_context *context, const char *path, char **out)
{
    const char *name = path;
    for (const char *c = path; *c != '\0'; c++)
        if (*c == '/' || *c == '\\')
            name = c + 1;
    const char *dot = strrchr(name, '.');
    size_t length = dot == NULL ? strlen(name) : (size_t)(dot - name);
    WKI_TRY(wki_strdup(context, wki_zip_name_ok(name, length) ? name : "archive", out));
    if (wki_zip_name_ok(name, length))
        (*out)[length] = '\0';
    return WICK_OK;
}

static wick_status to_file(void *user, const void *bytes, size_t length)
{
    return wki_writer_write(user, bytes, length);
}

wick_status wick_save(const wick_state_dict *dict, const char *path)
{
    if (dict == NULL)
        return WICK_EINVAL;
    wick_context *context = wki_state_dict_context(dict);
    if (path == NULL)
        return wki_fail(context, WICK_EINVAL, "the path to save to is NULL");
    char *archive;
    wki_writer writer;
    WKI_TRY(wki_pth_archive_name(context, path, &archive));
    wick_status status = wki_writer_open(&writer, context, path);
    if (status == WICK_OK) {
        status = wki_pth_write(dict, archive, to_file, &writer);
        if (status == WICK_OK)
            status = wki_writer_commit(&writer);
        else
            wki_writer_abort(&writer);
    }
    free(archive);
    return status;
}

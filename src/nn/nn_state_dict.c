#include "nn/layer_kind.h"

#include <stdlib.h>
#include <string.h>

/* A module's parameters and buffers by the names that a state_dict gives them. */
typedef struct named {
    char *key;
    const wki_parameter *parameter;
} named;

typedef struct named_list {
    named *items;
    size_t count, capacity;
} named_list;

static void named_release(named_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].key);
    free(list->items);
}

static wick_status add_named(named_list *list, wick_context *context, const char *path,
                             const wki_parameter *parameter)
{
    wki_text key;
    wki_text_init(&key, context);
    wki_text_printf(&key, "%s%s%s", path, path[0] == '\0' ? "" : ".", parameter->name);
    char *text;
    WKI_TRY(wki_text_finish(&key, &text));
    wick_status status = wki_grow(context, (void **)&list->items, &list->capacity, list->count + 1,
                                  sizeof(*list->items), "a state_dict");
    if (status != WICK_OK) {
        free(text);
        return status;
    }
    list->items[list->count++] = (named){text, parameter};
    return WICK_OK;
}

static wick_status add_layer(void *user, wki_visit_event event, wick_module *layer, const char *path)
{
    if (event != WKI_VISIT_LAYER)
        return WICK_OK;
    for (int i = 0; i < WKI_MAX_PARAMETERS; i++)
        if (layer->parameters[i].value != NULL)
            WKI_TRY(add_named(user, layer->context, path, &layer->parameters[i]));
    for (int i = 0; i < WKI_MAX_BUFFERS; i++)
        if (layer->buffers[i].value != NULL)
            WKI_TRY(add_named(user, layer->context, path, &layer->buffers[i]));
    return WICK_OK;
}

/* Lists them in PyTorch's order. The list is to be released also on failure. */
static wick_status list_named(const wick_module *module, named_list *list)
{
    *list = (named_list){0};
    /* The visit only reads. */
    return wki_module_walk((wick_module *)module, add_layer, list);
}

static wick_status add_copy(wick_state_dict *dict, const char *key, const wick_tensor *tensor)
{
    wick_tensor *copy;
    WKI_TRY(wick_tensor_clone(tensor, &copy));
    wick_status status = wick_state_dict_add(dict, key, copy);
    if (status != WICK_OK)
        wick_tensor_free(copy);
    return status;
}

static wick_status copy_all(const wick_module *module, bool gradients, wick_state_dict **out)
{
    if (module == NULL)
        return WICK_EINVAL;
    WKI_TRY(wki_check_out(module->context, out));
    wick_state_dict *dict = NULL;
    named_list list;
    wick_status status = WICK_OK;
    WKI_GOTO_OUT(list_named(module, &list));
    WKI_GOTO_OUT(wick_state_dict_new(module->context, &dict));
    for (size_t i = 0; i < list.count; i++) {
        const wki_parameter *parameter = list.items[i].parameter;
        if (gradients && parameter->grad == NULL)
            continue; /* a buffer */
        WKI_GOTO_OUT(add_copy(dict, list.items[i].key, gradients ? parameter->grad : parameter->value));
    }
    *out = dict;
    dict = NULL;
out:
    wick_state_dict_free(dict);
    named_release(&list);
    return status;
}

wick_status wick_module_state_dict(const wick_module *module, wick_state_dict **out)
{
    return copy_all(module, false, out);
}

wick_status wick_module_gradients(const wick_module *module, wick_state_dict **out)
{
    return copy_all(module, true, out);
}

/* ---- load_state_dict ---- */

enum { KEYS_NAMED = 3 };

/* Keys for a message: the first few by name, the others counted. */
typedef struct key_text {
    wki_text text;
    size_t count;
} key_text;

static void key_text_add(key_text *keys, const char *key)
{
    if (keys->count++ >= KEYS_NAMED)
        return;
    wki_text_puts(&keys->text, keys->count == 1 ? "" : ", ");
    /* A key comes from a file: what is not printable would break the message's one line. */
    wki_text_puts(&keys->text, "\"");
    for (size_t i = 0; key[i] != '\0' && i < 80; i++) {
        bool control = (unsigned char)key[i] < ' ' || key[i] == 0x7f;
        wki_text_append(&keys->text, control ? "?" : &key[i], 1);
    }
    wki_text_puts(&keys->text, "\"");
}

static void key_text_finish(key_text *keys)
{
    if (keys->count > KEYS_NAMED)
        wki_text_printf(&keys->text, " and %zu more", keys->count - KEYS_NAMED);
    wki_text_append(&keys->text, "", 0);
}

static bool is_listed(const named_list *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].key, key) == 0)
            return true;
    return false;
}

static wick_status check_keys(const wick_module *module, const named_list *list,
                              const wick_state_dict *dict)
{
    key_text missing = {.count = 0}, unexpected = {.count = 0};
    wki_text_init(&missing.text, module->context);
    wki_text_init(&unexpected.text, module->context);
    for (size_t i = 0; i < list->count; i++)
        if (wick_state_dict_get(dict, list->items[i].key) == NULL)
            key_text_add(&missing, list->items[i].key);
    for (int64_t i = 0; i < wick_state_dict_count(dict); i++)
        if (!is_listed(list, wick_state_dict_key(dict, i)))
            key_text_add(&unexpected, wick_state_dict_key(dict, i));
    key_text_finish(&missing);
    key_text_finish(&unexpected);
    wick_status status = WICK_OK;
    WKI_GOTO_OUT(missing.text.status);
    WKI_GOTO_OUT(unexpected.text.status);
    if (missing.count > 0 || unexpected.count > 0)
        status = wki_fail(module->context, WICK_EKEY, "this is no state_dict of %s: %s%s%s%s%s",
                          module->class_name, missing.count > 0 ? "missing key(s) " : "",
                          missing.text.bytes, missing.count > 0 && unexpected.count > 0 ? "; " : "",
                          unexpected.count > 0 ? "unexpected key(s) " : "", unexpected.text.bytes);
out:
    wki_text_release(&missing.text);
    wki_text_release(&unexpected.text);
    return status;
}

static bool same_shape(const wick_tensor *a, const wick_tensor *b)
{
    int ndim = wick_tensor_ndim(a);
    return ndim == wick_tensor_ndim(b) &&
           memcmp(wick_tensor_shape(a), wick_tensor_shape(b), (size_t)ndim * sizeof(int64_t)) == 0;
}

static wick_status check_tensor(const wick_module *module, const named *item, const wick_tensor *given)
{
    const wick_tensor *own = item->parameter->value;
    char from[WKI_SHAPE_TEXT], to[WKI_SHAPE_TEXT];
    if (!same_shape(own, given))
        return wki_fail(module->context, WICK_ESHAPE,
                        "size mismatch for %s: the state_dict has shape %s, but %s wants %s", item->key,
                        wki_shape_text(wick_tensor_ndim(given), wick_tensor_shape(given), from),
                        module->class_name,
                        wki_shape_text(wick_tensor_ndim(own), wick_tensor_shape(own), to));
    if (wick_tensor_dtype(given) != wick_tensor_dtype(own))
        return wki_fail(module->context, WICK_EINVAL,
                        "dtype mismatch for %s: the state_dict has %s, but %s wants %s", item->key,
                        wick_dtype_name(wick_tensor_dtype(given)), module->class_name,
                        wick_dtype_name(wick_tensor_dtype(own)));
    return WICK_OK;
}

static wick_status check_all(const wick_module *module, const named_list *list,
                             const wick_state_dict *dict)
{
    WKI_TRY(check_keys(module, list, dict));
    for (size_t i = 0; i < list->count; i++)
        WKI_TRY(check_tensor(module, &list->items[i], wick_state_dict_get(dict, list->items[i].key)));
    return WICK_OK;
}

wick_status wick_module_load_state_dict(wick_module *module, const wick_state_dict *dict)
{
    if (module == NULL)
        return WICK_EINVAL;
    if (dict == NULL)
        return wki_fail(module->context, WICK_EINVAL, "the state_dict is NULL");
    named_list list;
    wick_status status = list_named(module, &list);
    if (status == WICK_OK)
        status = check_all(module, &list, dict);
    for (size_t i = 0; i < list.count && status == WICK_OK; i++) {
        wick_tensor *own = list.items[i].parameter->value;
        const wick_tensor *given = wick_state_dict_get(dict, list.items[i].key);
        memcpy(wick_tensor_data(own), wick_tensor_cdata(given),
               (size_t)wick_tensor_numel(own) * wick_dtype_size(wick_tensor_dtype(own)));
    }
    named_release(&list);
    return status;
}

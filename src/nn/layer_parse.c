/* A layer from its constructor's text, as Python is written or as print(layer) writes it. */
#include "nn/layer_text.h"

#include <assert.h>
#include <string.h>

/* Rows that a text may name; the table has far fewer variants than kinds. */
enum { MOST_CLASSES = 2 * WKI_KIND_COUNT };

void wki_take_class_name(wki_cursor *c, wki_value *name)
{
    static const char *const prefixes[] = {"torch.nn.", "nn."};
    wki_skip_space(c);
    *name = (wki_value){.type = WKI_VALUE_WORD, .start = c->at, .length = wki_word_length(c->at)};
    c->at += name->length;
    for (size_t i = 0; i < WKI_COUNT(prefixes); i++) {
        size_t length = strlen(prefixes[i]);
        if (name->length > length && memcmp(name->start, prefixes[i], length) == 0) {
            name->start += length;
            name->length -= length;
            return;
        }
    }
}

/* All rows, in the table's order. */
static size_t list_classes(const wki_layer_kind *rows[MOST_CLASSES], const char *names[MOST_CLASSES])
{
    size_t count = 0;
    for (int i = 0; i < WKI_KIND_COUNT; i++) {
        const wki_layer_kind *kind = wki_layer_kind_of((wki_module_kind)i);
        for (; kind != NULL; kind = kind->variant) {
            assert(count < MOST_CLASSES);
            names[count] = kind->class_name;
            rows[count++] = kind;
        }
    }
    return count;
}

const wki_layer_kind *wki_find_class(const wki_value *name)
{
    const wki_layer_kind *rows[MOST_CLASSES];
    const char *names[MOST_CLASSES];
    size_t count = list_classes(rows, names);
    for (size_t i = 0; i < count; i++)
        if (wki_value_is(name, names[i]))
            return rows[i];
    return NULL;
}

const char *wki_nearest_class(const wki_value *name)
{
    const wki_layer_kind *rows[MOST_CLASSES];
    const char *names[MOST_CLASSES];
    char text[WKI_SHOWN];
    size_t count = list_classes(rows, names);
    return wki_nearest(wki_shown(name, text), names, count);
}

wick_status wki_no_such_class(wki_cursor *c, const wki_value *name)
{
    const wki_layer_kind *rows[MOST_CLASSES];
    const char *names[MOST_CLASSES];
    char text[WKI_SHOWN], known[WKI_MESSAGE_SIZE / 2] = "";
    size_t count = list_classes(rows, names), length = 0;
    const char *nearest = wki_nearest(wki_shown(name, text), names, count);
    if (nearest != NULL)
        return wki_fail_at(c, name->start, WICK_EINVAL, "there is no layer '%s'; did you mean %s?", text,
                           nearest);
    for (size_t i = 0; i < count && length < sizeof(known); i++)
        length += (size_t)snprintf(known + length, sizeof(known) - length, "%s%s", i == 0 ? "" : ", ",
                                   names[i]);
    return wki_fail_at(c, name->start, WICK_EINVAL, "there is no layer '%s'; there are %s", text, known);
}

/* What a lazy class's missing argument is. */
static wick_status find_lazy_size(wki_cursor *c, const wki_layer_kind *kind, const wki_value *name,
                                  const wki_shape_at *shape, int64_t *out)
{
    char text[WKI_SHAPE_TEXT];
    const char *first = kind->lazy_of->signature[0].name;
    if (shape == NULL)
        return wki_fail_at(c, name->start, WICK_EINVAL,
                           "%s takes its %s from what comes into it, which is not known here",
                           kind->class_name, first);
    int dim = kind->lazy_dim < 0 ? shape->ndim + kind->lazy_dim : kind->lazy_dim;
    bool fits = kind->lazy_ndim == 0 || shape->ndim == kind->lazy_ndim;
    if (!fits || dim < 0 || dim >= shape->ndim || shape->sizes[dim] < 1)
        return wki_fail_at(c, name->start, WICK_ESHAPE, "%s cannot take its %s from %s",
                           kind->class_name, first, wki_shape_text(shape->ndim, shape->sizes, text));
    *out = shape->sizes[dim];
    return WICK_OK;
}

wick_status wki_parse_layer(wki_cursor *c, const wki_layer_kind *kind, const wki_value *name,
                            const wki_shape_at *shape, wick_module **out)
{
    wki_argument arguments[WKI_MAX_ARGUMENTS] = {{0}};
    char here[WKI_SHOWN];
    size_t given = 0;
    const wki_layer_kind *made = kind;
    if (kind->lazy_of != NULL) {
        given = 1;
        made = kind->lazy_of;
        arguments[0].given = true;
        WKI_TRY(find_lazy_size(c, kind, name, shape, &arguments[0].integer));
    }
    if (!wki_take(c, '('))
        return wki_fail_at(c, c->at, WICK_EINVAL, "expected ( after %s, but there is %s",
                           kind->class_name, wki_shown_here(c, here));
    WKI_TRY(wki_parse_arguments(c, kind->class_name, made->signature + given, arguments + given));
    wick_status status = made->make(c->context, arguments, out);
    return status == WICK_OK ? WICK_OK : wki_fail_from(c, name->start, status);
}

static wick_status parse_one_layer(wki_cursor *c, wick_module **out)
{
    char here[WKI_SHOWN];
    wki_value name;
    wki_take_class_name(c, &name);
    if (name.length == 0)
        return wki_fail_at(c, c->at, WICK_EINVAL,
                           "expected a layer such as Conv2d(3, 10, kernel_size=3), but there is %s",
                           wki_shown_here(c, here));
    const wki_layer_kind *kind = wki_find_class(&name);
    if (kind == NULL)
        return wki_no_such_class(c, &name);
    if (kind->container)
        return wki_fail_at(c, name.start, WICK_EINVAL, "%s is no layer but a container of layers",
                           kind->class_name);
    return wki_parse_layer(c, kind, &name, NULL, out);
}

wick_status wick_layer_parse(wick_context *context, const char *text, wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    if (text == NULL)
        return wki_fail(context, WICK_EINVAL, "the layer's text is NULL");
    wki_cursor c = {context, text, text};
    wick_module *layer = NULL;
    char here[WKI_SHOWN];
    WKI_TRY(parse_one_layer(&c, &layer));
    wki_skip_space(&c);
    if (*c.at != '\0') {
        wick_module_free(layer);
        return wki_fail_at(&c, c.at, WICK_EINVAL,
                           "expected the end of the text after the layer, but there is %s",
                           wki_shown_here(&c, here));
    }
    *out = layer;
    return WICK_OK;
}

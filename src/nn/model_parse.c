/* A model from its text: constructor calls as Python is written, or what print(model) writes. The shape is
 * followed through the text, so that lazy layers know what comes and a layer that does not fit is pointed
 * at. */
#include "nn/layer_text.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NESTING = 64, MOST_LAYERS = 10000 };

/* A layer that stood in the text as a lazy one. */
typedef struct lazy_layer {
    wick_module *layer;
    int64_t fan_in;
} lazy_layer;

typedef struct parser {
    wki_cursor c;
    bool shaped; /* the shape of what comes in is known */
    wki_shape_walk shape;
    int nesting;
    int64_t layers, parameters;
    lazy_layer *lazy; /* borrowed from the model, in the order of the text */
    size_t lazy_count, lazy_capacity;
} parser;

static wick_status follow_shape(parser *p, wki_visit_event event, const wick_module *module,
                                const char *where)
{
    if (!p->shaped)
        return WICK_OK;
    wick_status status = wki_shape_walk_visit(&p->shape, event, module, "");
    return status == WICK_OK ? WICK_OK : wki_fail_from(&p->c, where, status);
}

static wick_status count_layer(parser *p, const char *where)
{
    if (++p->layers <= MOST_LAYERS)
        return WICK_OK;
    return wki_fail_at(&p->c, where, WICK_ELIMIT, "the model has more than %d layers", MOST_LAYERS);
}

/* ---- layers ---- */

static int64_t fan_in_of(const wick_module *layer)
{
    const int64_t *shape = layer->parameters[0].value->shape;
    int64_t fan_in = 1;
    for (int i = 1; i < layer->parameters[0].value->ndim; i++)
        fan_in *= shape[i];
    return fan_in;
}

/* PyTorch draws a lazy layer's weights when the model is first called: after all others. What making it
 * draws here is taken back. */
static wick_status parse_lazy(parser *p, const wki_layer_kind *kind, const wki_value *name,
                              wick_module **out)
{
    uint8_t state[WICK_GENERATOR_STATE_SIZE];
    wick_context *context = p->c.context;
    WKI_TRY(wki_grow(context, (void **)&p->lazy, &p->lazy_capacity, p->lazy_count + 1, sizeof(*p->lazy),
                     "a model's layers"));
    wick_generator_get_state(wick_default_generator(context), state);
    WKI_TRY(wki_parse_layer(&p->c, kind, name, p->shaped ? &p->shape.now : NULL, out));
    if ((*out)->kind == WKI_BATCH_NORM)
        return WICK_OK;
    p->lazy[p->lazy_count++] = (lazy_layer){*out, fan_in_of(*out)};
    return wick_generator_set_state(wick_default_generator(context), state);
}

/* The weights of the lazy layers, in the order in which they run. */
static wick_status draw_lazy(parser *p)
{
    for (size_t i = 0; i < p->lazy_count; i++)
        WKI_TRY(wki_init_weight_bias(p->lazy[i].layer, p->lazy[i].fan_in));
    return WICK_OK;
}

static wick_status parse_layer(parser *p, const wki_layer_kind *kind, const wki_value *name,
                               wick_module **out)
{
    WKI_TRY(count_layer(p, name->start));
    if (kind->lazy_of != NULL)
        WKI_TRY(parse_lazy(p, kind, name, out));
    else
        WKI_TRY(wki_parse_layer(&p->c, kind, name, NULL, out));
    p->parameters += wick_module_parameter_count(*out);
    if (p->parameters > WKI_MAX_PARAMETER)
        return wki_fail_at(&p->c, name->start, WICK_ELIMIT,
                           "the model would have more than %lld parameters",
                           (long long)WKI_MAX_PARAMETER);
    return follow_shape(p, WKI_VISIT_LAYER, *out, name->start);
}

/* ---- containers ---- */

static wick_status parse_module(parser *p, wick_module **out);

/* A child's name, which is a word without dots. */
typedef struct child_name {
    char text[WKI_WANTED_TEXT];
    const char *start;
    bool given;
} child_name;

static wick_status set_name(parser *p, const wki_value *v, child_name *name)
{
    char text[WKI_SHOWN];
    *name = (child_name){.start = v->start, .given = true};
    if (v->length == 0 || wki_word_length(v->start) < v->length ||
        memchr(v->start, '.', v->length) != NULL)
        return wki_fail_at(&p->c, v->start, WICK_EINVAL,
                           "a name is made of letters, digits and _, but there is %s",
                           v->length == 0 && v->type == WKI_VALUE_WORD ? wki_shown_here(&p->c, text)
                                                                       : wki_shown(v, text));
    if (v->length >= sizeof(name->text))
        return wki_fail_at(&p->c, v->start, WICK_ELIMIT, "the name is longer than %zu bytes",
                           sizeof(name->text) - 1);
    memcpy(name->text, v->start, v->length);
    return WICK_OK;
}

static wick_status expect(parser *p, char wanted, const char *after)
{
    char here[WKI_SHOWN];
    if (wki_take(&p->c, wanted))
        return WICK_OK;
    return wki_fail_at(&p->c, p->c.at, WICK_EINVAL, "expected %c after %s, but there is %s", wanted,
                       after, wki_shown_here(&p->c, here));
}

/* A child from its own text on, moved into the container. */
static wick_status parse_child(parser *p, wick_module *container, const child_name *name)
{
    wick_module *child = NULL;
    wki_skip_space(&p->c);
    const char *where = name->given ? name->start : p->c.at;
    if (container->kind == WKI_RESIDUAL && name->given && strcmp(name->text, "shortcut") == 0 &&
        wki_residual_body_count(container) == container->child_count)
        WKI_TRY(follow_shape(p, WKI_VISIT_SHORTCUT, container, where));
    wick_status status = parse_module(p, &child);
    if (status != WICK_OK) {
        wick_module_free(child);
        return status;
    }
    status = wick_sequential_append(container, name->given ? name->text : NULL, child);
    return status == WICK_OK ? WICK_OK : wki_fail_from(&p->c, where, status);
}

/* As print(model) has it: (conv_block_1): Sequential(...), one a line. */
static wick_status parse_printed_children(parser *p, wick_module *container)
{
    while (!wki_take(&p->c, ')')) {
        child_name name;
        WKI_TRY(expect(p, '(', "a child"));
        wki_skip_space(&p->c);
        wki_value word = {.type = WKI_VALUE_WORD, .start = p->c.at, .length = wki_word_length(p->c.at)};
        WKI_TRY(set_name(p, &word, &name));
        p->c.at += word.length;
        WKI_TRY(expect(p, ')', "the child's name"));
        WKI_TRY(expect(p, ':', "the child's name"));
        WKI_TRY(parse_child(p, container, &name));
    }
    return WICK_OK;
}

/* One of OrderedDict's: ('conv', Conv2d(...)). */
static wick_status parse_pair(parser *p, wick_module *container)
{
    child_name name;
    wki_value key;
    char text[WKI_SHOWN];
    WKI_TRY(expect(p, '(', "[ or ,"));
    WKI_TRY(wki_parse_value(&p->c, &key));
    if (key.type != WKI_VALUE_STRING)
        return wki_fail_at(&p->c, key.start, WICK_EINVAL, "expected a name in quotes, but there is %s",
                           wki_shown(&key, text));
    WKI_TRY(set_name(p, &key, &name));
    WKI_TRY(expect(p, ',', "the child's name"));
    WKI_TRY(parse_child(p, container, &name));
    wki_take(&p->c, ',');
    return expect(p, ')', "the child");
}

/* OrderedDict([('conv', Conv2d(...)), ...]), from behind its name to behind the container's end. */
static wick_status parse_ordered_dict(parser *p, wick_module *container)
{
    char here[WKI_SHOWN];
    bool comma = true;
    WKI_TRY(expect(p, '(', "OrderedDict"));
    WKI_TRY(expect(p, '[', "OrderedDict("));
    while (!wki_take(&p->c, ']')) {
        if (!comma)
            return wki_fail_at(&p->c, p->c.at, WICK_EINVAL, "expected , or ], but there is %s",
                               wki_shown_here(&p->c, here));
        WKI_TRY(parse_pair(p, container));
        comma = wki_take(&p->c, ',');
    }
    wki_take(&p->c, ',');
    WKI_TRY(expect(p, ')', "OrderedDict([...]"));
    wki_take(&p->c, ',');
    return expect(p, ')', "OrderedDict([...])");
}

static bool take_ordered_dict(parser *p)
{
    static const char *const words[] = {"OrderedDict", "collections.OrderedDict"};
    wki_skip_space(&p->c);
    size_t length = wki_word_length(p->c.at);
    for (size_t i = 0; i < WKI_COUNT(words); i++)
        if (length == strlen(words[i]) && memcmp(p->c.at, words[i], length) == 0) {
            p->c.at += length;
            return true;
        }
    return false;
}

/* As Python calls it: children by position, then by name. */
static wick_status parse_called_children(parser *p, wick_module *container)
{
    char here[WKI_SHOWN];
    bool comma = true, keywords = false;
    while (!wki_take(&p->c, ')')) {
        child_name name = {.given = false};
        wki_value word;
        if (!comma)
            return wki_fail_at(&p->c, p->c.at, WICK_EINVAL, "expected , or ), but there is %s",
                               wki_shown_here(&p->c, here));
        if (wki_take_keyword(&p->c, &word)) {
            WKI_TRY(set_name(p, &word, &name));
            keywords = true;
        } else if (keywords) {
            return wki_fail_at(&p->c, p->c.at, WICK_EINVAL,
                               "a positional argument follows a keyword argument");
        }
        WKI_TRY(parse_child(p, container, &name));
        comma = wki_take(&p->c, ',');
    }
    return WICK_OK;
}

static wick_status parse_children(parser *p, wick_module *container)
{
    wki_skip_space(&p->c);
    if (*p->c.at == '(')
        return parse_printed_children(p, container);
    if (take_ordered_dict(p))
        return parse_ordered_dict(p, container);
    return parse_called_children(p, container);
}

/* From behind the name on; *out is the caller's also on failure. */
static wick_status parse_container(parser *p, const wki_value *name, wick_module **out)
{
    wick_module *container = *out;
    bool residual = container->kind == WKI_RESIDUAL;
    char here[WKI_SHOWN];
    WKI_TRY(count_layer(p, name->start));
    if (++p->nesting > MOST_NESTING)
        return wki_fail_at(&p->c, name->start, WICK_ELIMIT, "the model is nested more than %d deep",
                           MOST_NESTING);
    if (!wki_take(&p->c, '('))
        return wki_fail_at(&p->c, p->c.at, WICK_EINVAL, "expected ( after %s, but there is %s",
                           container->class_name, wki_shown_here(&p->c, here));
    if (residual)
        WKI_TRY(follow_shape(p, WKI_VISIT_RESIDUAL, container, name->start));
    WKI_TRY(parse_children(p, container));
    if (residual && wki_residual_body_count(container) == container->child_count)
        WKI_TRY(follow_shape(p, WKI_VISIT_SHORTCUT, container, name->start));
    if (residual)
        WKI_TRY(follow_shape(p, WKI_VISIT_SUM, container, name->start));
    p->nesting--;
    return WICK_OK;
}

/* ---- modules ---- */

/* Whether the parenthesis of a name that no layer has opens printed children: then it is a model's own
 * class name, unless it looks like a misspelt container. */
static bool is_own_class(const parser *p, const wki_value *name)
{
    wki_cursor ahead = p->c;
    if (name->length >= WKI_WANTED_TEXT || memchr(name->start, '.', name->length) != NULL ||
        !wki_take(&ahead, '('))
        return false;
    wki_skip_space(&ahead);
    if (*ahead.at != '(')
        return false;
    const char *nearest = wki_nearest_class(name);
    const char *containers[] = {"Sequential", "Residual"};
    for (size_t i = 0; i < WKI_COUNT(containers) && nearest != NULL; i++) {
        size_t length = strlen(containers[i]);
        if (strcmp(nearest, containers[i]) == 0 && name->length + 1 >= length &&
            name->length <= length + 1)
            return false;
    }
    return true;
}

static wick_status make_own_class(parser *p, const wki_value *name, wick_module **out)
{
    char class_name[WKI_WANTED_TEXT] = "";
    memcpy(class_name, name->start, name->length);
    return wick_model(p->c.context, class_name, out);
}

/* *out is the caller's also on failure, if it is not NULL then. */
static wick_status parse_module(parser *p, wick_module **out)
{
    char here[WKI_SHOWN];
    wki_value name;
    wki_take_class_name(&p->c, &name);
    if (name.length == 0)
        return wki_fail_at(&p->c, p->c.at, WICK_EINVAL,
                           "expected a layer such as Conv2d(3, 10, kernel_size=3), but there is %s",
                           wki_shown_here(&p->c, here));
    const wki_layer_kind *kind = wki_find_class(&name);
    if (kind != NULL && !kind->container)
        return parse_layer(p, kind, &name, out);
    if (kind == &wki_sequential_kind)
        WKI_TRY(wick_sequential(p->c.context, out));
    else if (kind == &wki_residual_kind)
        WKI_TRY(wick_residual(p->c.context, out));
    else if (is_own_class(p, &name))
        WKI_TRY(make_own_class(p, &name, out));
    else
        return wki_no_such_class(&p->c, &name);
    return parse_container(p, &name, out);
}

/* "model = nn.Sequential(...)": a line of Python. */
static wick_status refuse_assignment(parser *p)
{
    wki_cursor ahead = p->c;
    char shown[WKI_SHOWN];
    wki_skip_space(&ahead);
    const wki_value name = {
        .type = WKI_VALUE_WORD, .start = ahead.at, .length = wki_word_length(ahead.at)};
    ahead.at += name.length;
    if (name.length == 0 || !wki_take(&ahead, '='))
        return WICK_OK;
    return wki_fail_at(&p->c, name.start, WICK_EINVAL,
                       "the model's text begins behind the =; '%s =' is to be left out",
                       wki_shown(&name, shown));
}

static wick_status parse_all(parser *p, wick_module **out)
{
    char here[WKI_SHOWN];
    WKI_TRY(refuse_assignment(p));
    WKI_TRY(parse_module(p, out));
    wki_skip_space(&p->c);
    if (*p->c.at != '\0')
        return wki_fail_at(&p->c, p->c.at, WICK_EINVAL,
                           "expected the end of the text after the model, but there is %s",
                           wki_shown_here(&p->c, here));
    return draw_lazy(p);
}

static wick_status start_shape(parser *p, const int64_t image_shape[3])
{
    char text[WKI_SHAPE_TEXT];
    for (int i = 0; i < 3; i++)
        if (image_shape[i] < 1)
            return wki_fail(p->c.context, WICK_ESHAPE,
                            "images are [C, H, W], each at least 1, but these are %s",
                            wki_shape_text(3, image_shape, text));
    p->shaped = true;
    p->shape.now = (wki_shape_at){4, {1, image_shape[0], image_shape[1], image_shape[2]}};
    return WICK_OK;
}

wick_status wick_model_parse(wick_context *context, const char *text, const int64_t image_shape[3],
                             wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    if (text == NULL)
        return wki_fail(context, WICK_EINVAL, "the model's text is NULL");
    parser p = {.c = {context, text, text}};
    wick_module *model = NULL;
    if (image_shape != NULL)
        WKI_TRY(start_shape(&p, image_shape));
    wick_status status = parse_all(&p, &model);
    wki_shape_walk_release(&p.shape);
    free(p.lazy);
    if (status != WICK_OK) {
        wick_module_free(model);
        return status;
    }
    *out = model;
    return WICK_OK;
}

/* print(model): torch.nn.Module.__repr__. */
#include "nn/layer_kind.h"

void wki_text_size2(wki_text *text, wick_size2 size)
{
    wki_text_printf(text, "(%lld, %lld)", (long long)size.h, (long long)size.w);
}

void wki_text_square(wki_text *text, wick_size2 size)
{
    if (size.h == size.w)
        wki_text_printf(text, "%lld", (long long)size.h);
    else
        wki_text_size2(text, size);
}

void wki_text_float(wki_text *text, double number)
{
    char digits[32];
    wki_repr(number, digits);
    wki_text_puts(text, digits);
}

const char *wki_bool_text(bool truth)
{
    return truth ? "True" : "False";
}

static void format(const wick_module *module, int indent, wki_text *text)
{
    const wki_layer_kind *kind = wki_layer_kind_for(module);
    wki_text_printf(text, "%s(", module->class_name);
    if (kind->format != NULL)
        kind->format(module, text);
    for (size_t i = 0; i < module->child_count; i++) {
        wki_text_printf(text, "\n%*s(%s): ", indent + 2, "", module->child_names[i]);
        format(module->children[i], indent + 2, text);
    }
    if (module->child_count > 0)
        wki_text_printf(text, "\n%*s", indent, "");
    wki_text_puts(text, ")");
}

wick_status wick_module_format(const wick_module *module, char **out)
{
    if (module == NULL)
        return WICK_EINVAL;
    WKI_TRY(wki_check_out(module->context, out));
    wki_text text;
    wki_text_init(&text, module->context);
    format(module, 0, &text);
    return wki_text_finish(&text, out);
}

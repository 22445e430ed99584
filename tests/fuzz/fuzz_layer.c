/* Layer text: what parses prints, and what is printed parses back to the same print. */
#include <stdlib.h>
#include <string.h>

#include <wick/wick.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool right)
{
    if (!right)
        abort();
}

/* A layer is made with all its parameters, up to 2^31, which would only take memory here: leave out
 * texts whose numbers, the largest twice (a square kernel), multiply to more than 2^22, but not those with a
 * number above the limit, which no layer takes. */
static bool takes_too_much_memory(const char *text)
{
    uint64_t product = 1, largest = 1;
    bool above = false;
    while (*text != '\0') {
        char *end = NULL;
        uint64_t number = strtoull(text, &end, 10);
        text = end == text ? text + 1 : end;
        above = above || number > INT32_MAX;
        largest = number > largest && number <= INT32_MAX ? number : largest;
        if (number > 1 && product <= 1 << 20)
            product *= number > INT32_MAX ? 1 : number;
    }
    return product * largest > 1 << 22 && !above;
}

static void round_trip(wick_context *context, const char *text)
{
    wick_module *layer = NULL, *again = NULL;
    char *first = NULL, *second = NULL;
    wick_status status = wick_layer_parse(context, text, &layer);
    if (status != WICK_OK) {
        check(layer == NULL);
        check(wick_context_message(context)[0] != '\0');
        check(strpbrk(wick_context_message(context), "\r\n") == NULL);
        return;
    }
    check(wick_module_format(layer, &first) == WICK_OK);
    check(wick_layer_parse(context, first, &again) == WICK_OK);
    check(wick_module_format(again, &second) == WICK_OK);
    check(strcmp(first, second) == 0);
    check(wick_module_parameter_count(layer) == wick_module_parameter_count(again));
    wick_free(first);
    wick_free(second);
    wick_module_free(layer);
    wick_module_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[4096];
    wick_context *context = NULL;
    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (takes_too_much_memory(text))
        return 0;
    check(wick_context_new(&context) == WICK_OK);
    round_trip(context, text);
    wick_context_free(context);
    return 0;
}

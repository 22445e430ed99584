/* Model text: what parses prints, and what is printed parses back to the same print. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <wick/wick.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool right)
{
    if (!right)
        abort();
}

/* A model is made with all its parameters, which would only take memory here: leave out texts with a
 * call whose numbers, the larger ones twice (a square kernel), multiply to more than 2^16. A lazy layer's size is a product of numbers
 * of other calls: with one, all numbers together must stay small. */
static bool takes_too_much_memory(const char *text)
{
    const uint64_t most = strstr(text, "Lazy") != NULL ? 1 << 10 : 1 << 16;
    bool lazy = most == 1 << 10, word = false;
    uint64_t product = 1;
    while (*text != '\0') {
        char *end = NULL;
        uint64_t number = strtoull(text, &end, 10);
        bool opens = *text == '(' && word && !lazy;
        word = isalnum((unsigned char)*text) != 0;
        text = end == text ? text + 1 : end;
        if (opens)
            product = 1;
        if (number > 1)
            product *= number > most ? most + 1 : number > 32 ? number * number : number;
        if (product > most)
            return true;
    }
    return false;
}

static const int64_t image[] = {3, 12, 12};

static void round_trip(wick_context *context, const char *text)
{
    wick_module *model = NULL, *again = NULL;
    char *first = NULL, *second = NULL;
    wick_status status = wick_model_parse(context, text, image, &model);
    if (status != WICK_OK) {
        check(model == NULL);
        check(wick_context_message(context)[0] != '\0');
        check(strpbrk(wick_context_message(context), "\r\n") == NULL);
        return;
    }
    check(wick_module_format(model, &first) == WICK_OK);
    check(wick_model_parse(context, first, image, &again) == WICK_OK);
    check(wick_module_format(again, &second) == WICK_OK);
    check(strcmp(first, second) == 0);
    check(wick_module_parameter_count(model) == wick_module_parameter_count(again));
    wick_free(first);
    wick_free(second);
    wick_module_free(model);
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

#include "data/transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ERASE_TRIES = 10 };

bool wki_transform_is_set(const wick_transform *transform)
{
    return transform->crop > 0 || transform->flip > 0 || transform->rotate > 0 || transform->erase > 0;
}

static bool is_share(double number)
{
    return number >= 0 && number <= 1;
}

wick_status wki_transform_check(wick_context *context, const wick_transform *transform,
                                const int64_t shape[3])
{
    int64_t least = WKI_MIN(shape[1], shape[2]);
    if (transform->crop < 0 || (transform->crop > 0 && transform->crop >= least))
        return wki_fail(context, WICK_EINVAL,
                        "a crop's padding of %lld for images of %lldx%lld; it must be 0 to %lld",
                        (long long)transform->crop, (long long)shape[1], (long long)shape[2],
                        (long long)least - 1);
    if (!is_share(transform->flip) || !is_share(transform->erase))
        return wki_fail(context, WICK_EINVAL, "the probability of a %s is %g; it must be 0 to 1",
                        is_share(transform->flip) ? "rectangle to be erased" : "flip",
                        is_share(transform->flip) ? transform->erase : transform->flip);
    if (!(transform->rotate >= 0 && transform->rotate <= 180))
        return wki_fail(context, WICK_EINVAL, "a rotation by up to %g degrees; it must be 0 to 180",
                        transform->rotate);
    if (transform->rotate > 0 && (shape[1] > INT16_MAX || shape[2] > INT16_MAX))
        return wki_fail(context, WICK_EINVAL, "an image of %lldx%lld is too large to be rotated",
                        (long long)shape[1], (long long)shape[2]);
    return WICK_OK;
}

/* ---- drawing ---- */

/* splitmix64 (Steele, Lea and Flood 2014). */
static uint64_t draw_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* In [0, 1). */
static double draw_unit(uint64_t *state)
{
    return (double)(draw_bits(state) >> 11) * 0x1p-53;
}

/* 0 .. count-1. */
static int64_t draw_below(uint64_t *state, int64_t count)
{
    return (int64_t)(draw_unit(state) * (double)count);
}

/* RandomErasing.get_params() with its usual scale and ratio. */
static void choose_rectangle(const int64_t shape[3], uint64_t *state, wki_transform_draw *draw)
{
    for (int i = 0; i < ERASE_TRIES; i++) {
        double area = (double)(shape[1] * shape[2]) * (0.02 + (0.33 - 0.02) * draw_unit(state));
        double lowest = log(0.3), highest = log(3.3);
        double ratio = exp(lowest + (highest - lowest) * draw_unit(state));
        int64_t height = (int64_t)nearbyint(sqrt(area * ratio));
        int64_t width = (int64_t)nearbyint(sqrt(area / ratio));
        if (height >= shape[1] || width >= shape[2])
            continue;
        draw->erase_height = height;
        draw->erase_width = width;
        draw->erase_top = draw_below(state, shape[1] - height + 1);
        draw->erase_left = draw_below(state, shape[2] - width + 1);
        return;
    }
}

void wki_transform_choose(const wick_transform *transform, const int64_t shape[3], uint64_t base_seed,
                          int64_t index, wki_transform_draw *draw)
{
    uint64_t seed = base_seed, state = draw_bits(&seed) ^ (uint64_t)index * 0xd1342543de82ef95;
    *draw = (wki_transform_draw){0};
    draw->down = draw_below(&state, 2 * transform->crop + 1);
    draw->right = draw_below(&state, 2 * transform->crop + 1);
    draw->flip = draw_unit(&state) < transform->flip;
    draw->rotate = transform->rotate > 0;
    draw->degrees = transform->rotate * (2.0 * draw_unit(&state) - 1.0);
    if (draw_unit(&state) < transform->erase)
        choose_rectangle(shape, &state, draw);
}

/* ---- doing ---- */

/* Which row or column of the image one of the padded image is; -1 in the padding's zeros. */
static int64_t source_of(int64_t at, int64_t count, bool reflect)
{
    if (at >= 0 && at < count)
        return at;
    if (!reflect)
        return -1;
    return at < 0 ? -at : 2 * (count - 1) - at;
}

static void crop_row(const uint8_t *from, int64_t width, int64_t shift, bool reflect, uint8_t *to)
{
    int64_t begin = WKI_MAX(0, -shift), end = width - WKI_MAX(0, shift);
    memcpy(to + begin, from + begin + shift, (size_t)(end - begin));
    for (int64_t x = 0; x < begin; x++)
        to[x] = reflect ? from[source_of(x + shift, width, true)] : 0;
    for (int64_t x = end; x < width; x++)
        to[x] = reflect ? from[source_of(x + shift, width, true)] : 0;
}

static void reverse(uint8_t *row, int64_t width)
{
    for (int64_t left = 0, right = width - 1; left < right; left++, right--) {
        uint8_t pixel = row[left];
        row[left] = row[right];
        row[right] = pixel;
    }
}

static void crop_and_flip(const wick_transform *transform, const wki_transform_draw *draw,
                          const int64_t shape[3], const uint8_t *from, uint8_t *to)
{
    int64_t down = draw->down - transform->crop, right = draw->right - transform->crop;
    for (int64_t r = 0; r < shape[0] * shape[1]; r++) {
        int64_t y = source_of(r % shape[1] + down, shape[1], transform->crop_reflect);
        uint8_t *row = to + r * shape[2];
        if (y < 0)
            memset(row, 0, (size_t)shape[2]);
        else
            crop_row(from + (r - r % shape[1] + y) * shape[2], shape[2], right, transform->crop_reflect,
                     row);
        if (draw->flip)
            reverse(row, shape[2]);
    }
}

static void erase(const wki_transform_draw *draw, const int64_t shape[3], const uint8_t *erased,
                  uint8_t *image)
{
    for (int64_t c = 0; c < shape[0]; c++)
        for (int64_t y = draw->erase_top; y < draw->erase_top + draw->erase_height; y++)
            memset(image + (c * shape[1] + y) * shape[2] + draw->erase_left, erased[c],
                   (size_t)draw->erase_width);
}

void wki_transform_apply(const wick_transform *transform, const wki_transform_draw *draw,
                         const int64_t shape[3], const uint8_t *erased, const uint8_t *from, uint8_t *to,
                         uint8_t *spare)
{
    int64_t plane = shape[1] * shape[2];
    crop_and_flip(transform, draw, shape, from, draw->rotate ? spare : to);
    for (int64_t c = 0; draw->rotate && c < shape[0]; c++)
        wki_rotate(spare + c * plane, (int)shape[1], (int)shape[2], draw->degrees,
                   transform->rotate_bilinear, to + c * plane);
    erase(draw, shape, erased, to);
}

/* ---- as text ---- */

enum { WORD_SIZE = 64 };

typedef enum word_kind { WORD_SWITCH, WORD_SHARE, WORD_COUNT_OF_PIXELS, WORD_DEGREES } word_kind;

static const struct transform_word {
    const char *name;
    word_kind kind;
    size_t offset;
} words[] = {
    {"crop", WORD_COUNT_OF_PIXELS, offsetof(wick_transform, crop)},
    {"reflect", WORD_SWITCH, offsetof(wick_transform, crop_reflect)},
    {"flip", WORD_SHARE, offsetof(wick_transform, flip)},
    {"rotate", WORD_DEGREES, offsetof(wick_transform, rotate)},
    {"bilinear", WORD_SWITCH, offsetof(wick_transform, rotate_bilinear)},
    {"erase", WORD_SHARE, offsetof(wick_transform, erase)},
};

static wick_status fail_word(wick_context *context, const char *word, const char *why)
{
    return wki_fail(context, WICK_EINVAL, "'%s' %s", word, why);
}

static wick_status read_number(wick_context *context, const struct transform_word *known,
                               const char *word, const char *value, double *number)
{
    static const char *const wanted[] = {
        [WORD_SWITCH] = "takes no value",
        [WORD_SHARE] = "needs a probability above 0 and up to 1, such as 0.25",
        [WORD_COUNT_OF_PIXELS] = "needs a number of pixels from 1 on, such as 4",
        [WORD_DEGREES] = "needs degrees above 0 and up to 180, such as 10",
    };
    static const double most[] = {
        [WORD_SHARE] = 1, [WORD_COUNT_OF_PIXELS] = INT16_MAX, [WORD_DEGREES] = 180};
    char *end;
    if (known->kind == WORD_SWITCH || value[0] < '.' || value[0] > '9')
        return fail_word(context, word, wanted[known->kind]);
    *number = strtod(value, &end);
    if (*end != '\0' || !(*number > 0 && *number <= most[known->kind]) ||
        (known->kind == WORD_COUNT_OF_PIXELS && *number != floor(*number)))
        return fail_word(context, word, wanted[known->kind]);
    return WICK_OK;
}

/* "crop=4". */
static wick_status read_word(wick_context *context, char *word, wick_transform *out)
{
    const char *names[WKI_COUNT(words)];
    const struct transform_word *known = NULL;
    char whole[WORD_SIZE];
    snprintf(whole, sizeof(whole), "%s", word);
    char *value = strchr(word, '=');
    if (value != NULL)
        *value++ = '\0';
    for (size_t i = 0; i < WKI_COUNT(words); i++) {
        names[i] = words[i].name;
        if (strcmp(words[i].name, word) == 0)
            known = &words[i];
    }
    if (known == NULL) {
        const char *near = wki_nearest(word, names, WKI_COUNT(names));
        return wki_fail(
            context, WICK_EINVAL,
            "'%s' is no transform; there are crop=N, reflect, flip, rotate=DEGREES, bilinear "
            "and erase=P%s%s%s",
            word, near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
            near == NULL ? "" : "'?");
    }
    double number = known->kind == WORD_SHARE && strcmp(known->name, "flip") == 0 ? 0.5 : 1;
    bool may_stand_alone = known->kind == WORD_SWITCH || strcmp(known->name, "flip") == 0;
    if (value != NULL || !may_stand_alone)
        WKI_TRY(read_number(context, known, whole, value == NULL ? "" : value, &number));
    void *at = (char *)out + known->offset;
    if (known->kind == WORD_SWITCH)
        *(bool *)at = true;
    else if (known->kind == WORD_COUNT_OF_PIXELS)
        *(int64_t *)at = (int64_t)number;
    else
        *(double *)at = number;
    return WICK_OK;
}

static wick_status check_words(wick_context *context, const wick_transform *transform)
{
    if (transform->crop_reflect && transform->crop == 0)
        return fail_word(context, "reflect", "is for a crop: crop=4,reflect");
    if (transform->rotate_bilinear && transform->rotate == 0)
        return fail_word(context, "bilinear", "is for a rotation: rotate=10,bilinear");
    return WICK_OK;
}

wick_status wick_transform_parse(wick_context *context, const char *text, wick_transform *out)
{
    wick_transform transform = {0};
    if (text == NULL || out == NULL)
        return wki_fail(context, WICK_EINVAL, "the text of transforms, or the place for them, is NULL");
    for (const char *c = text;;) {
        char word[WORD_SIZE];
        size_t length = strcspn(c, ",");
        if (length == 0 || length >= sizeof(word))
            return wki_fail(context, WICK_EINVAL,
                            "'%.100s': %s; transforms are words with commas between, such as "
                            "crop=4,flip",
                            text, length == 0 ? "a word is missing" : "a word is too long");
        memcpy(word, c, length);
        word[length] = '\0';
        WKI_TRY(read_word(context, word, &transform));
        if (c[length] == '\0')
            break;
        c += length + 1;
    }
    WKI_TRY(check_words(context, &transform));
    *out = transform;
    return WICK_OK;
}

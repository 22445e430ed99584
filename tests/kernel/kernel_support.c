#include "kernel_support.h"

#include <sys/mman.h>
#include <unistd.h>

#include "../unit/seeded_random.h"

/* ---- random numbers ---- */

static uint64_t random_state;

int kt_seed(void **state)
{
    (void)state;
    random_state = random_seed();
    return 0;
}

uint64_t kt_random(void)
{
    return random_next(&random_state);
}

int kt_int(int low, int high)
{
    return low + (int)(kt_random() % (uint64_t)(high - low + 1));
}

bool kt_once_in(int times)
{
    return kt_random() % (uint64_t)times == 0;
}

float kt_float(void)
{
    return (float)(kt_random() >> 40) * 0x1p-22f - 2.0f;
}

float kt_odd_float(void)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1.0f, -1.0f, 0.5f};
    return kt_once_in(3) ? odd[kt_random() % 8] : kt_float();
}

/* ---- buffers ---- */

enum { MOST_BUFFERS = 64, CANARY = 0x5a };
static const uint32_t poison_bits = 0x7fdeadbeu;

static struct guarded {
    uint8_t *map;
    size_t mapped, page;
    uint8_t *data;
    size_t count;
} buffers[MOST_BUFFERS];
static int buffer_count;

void *kt_bytes(size_t count)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), inside = (count + page - 1) / page * page;
    assert_true(buffer_count < MOST_BUFFERS);
    if (inside == 0)
        inside = page;
    struct guarded *g = &buffers[buffer_count++];
    *g = (struct guarded){.mapped = inside + 2 * page, .page = page, .count = count};
    void *map = mmap(NULL, g->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    g->map = map;
    assert_int_equal(mprotect(g->map + page, inside, PROT_READ | PROT_WRITE), 0);
    memset(g->map + page, CANARY, inside);
    g->data = g->map + page + (kt_once_in(3) ? 0 : inside - count);
    return g->data;
}

float *kt_floats(size_t count)
{
    float *floats = kt_bytes(count * sizeof(float));
    for (size_t i = 0; i < count; i++)
        memcpy(&floats[i], &poison_bits, sizeof(poison_bits));
    return floats;
}

float *kt_random_floats(size_t count, bool odd)
{
    float *floats = kt_floats(count);
    for (size_t i = 0; i < count; i++)
        floats[i] = odd ? kt_odd_float() : kt_float();
    return floats;
}

void kt_release(void)
{
    size_t written = 0;
    for (int i = 0; i < buffer_count; i++) {
        const struct guarded *g = &buffers[i];
        for (uint8_t *p = g->map + g->page; p < g->map + g->mapped - g->page; p++)
            if ((p < g->data || p >= g->data + g->count) && *p != CANARY)
                written++;
        munmap(g->map, g->mapped);
    }
    buffer_count = 0;
    if (written > 0)
        fail_msg("%zu bytes beside a buffer were written", written);
}

uint32_t kt_bits(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

bool kt_is_poison(float number)
{
    return kt_bits(number) == poison_bits;
}

static bool is_result_nan(float number)
{
    return isnan(number) && !kt_is_poison(number);
}

size_t kt_first_difference(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kt_bits(a[i]) != kt_bits(b[i]) && !(is_result_nan(a[i]) && is_result_nan(b[i])))
            return i + 1;
    return 0;
}

bool kt_near(float number, double right, double error)
{
    if (kt_is_poison(number))
        return false;
    if (isnan(right) || isnan(number))
        return isnan(right) && isnan(number);
    if (isinf(right) || isinf(number))
        return (double)number == right;
    return fabs((double)number - right) <= error;
}

size_t kt_plane(wki_plane *plane, int channels, int rows, int columns)
{
    plane->column = WKI_LANES + (kt_once_in(3) ? kt_int(1, 9) : 0);
    plane->row = columns * plane->column + kt_int(0, 2) * 7;
    plane->channel = rows * plane->row + kt_int(0, 2) * 5;
    return (size_t)((channels - 1) * plane->channel + (rows - 1) * plane->row +
                    (columns - 1) * plane->column) +
           WKI_LANES;
}

float *kt_gradient_like(const float *before, int channels, int each, int begin, int end, bool copy)
{
    float *gradient = kt_floats((size_t)(channels * each));
    if (copy)
        memcpy(gradient + begin * each, before + begin * each,
               (size_t)((end - begin) * each) * sizeof(float));
    return gradient;
}

void kt_others_untouched(const float *gradient, int channels, int each, int begin, int end,
                         const char *name)
{
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < each && (c < begin || c >= end); i++)
            if (!kt_is_poison(gradient[c * each + i]))
                fail_msg("%s: channel %d, which is not the call's, was written", name, c);
}

void kt_same_bits(float **first, float *now, size_t count, const char *name, const char *what)
{
    if (*first == NULL)
        *first = now;
    size_t differs = kt_first_difference(*first, now, count);
    if (differs > 0)
        fail_msg("%s: %s: number %zu has other bits: %a, not %a", name, what, differs - 1,
                 (double)now[differs - 1], (double)(*first)[differs - 1]);
}

/* ---- tables ---- */

extern const wki_kernels wki_wide_kernels, wki_narrow_kernels;

/* Whether this processor runs what `wide` is made for. */
static bool runs_wide(void)
{
#if defined(__x86_64__)
    for (int i = 0; wki_kernels_runnable(i) != NULL; i++)
        if (strcmp(wki_kernels_runnable(i)->name, "x86-64-v3") == 0)
            return true;
    return false;
#else
    return true;
#endif
}

const wki_kernels *kt_table(int index)
{
    int count = 0;
    while (wki_kernels_runnable(count) != NULL)
        count++;
    if (index < count)
        return wki_kernels_runnable(index);
    index -= count;
    if (!runs_wide())
        index++;
    return index == 0 ? &wki_wide_kernels : index == 1 ? &wki_narrow_kernels : NULL;
}

int kt_group(const wki_kernels *kernels)
{
#if defined(__x86_64__)
    return strcmp(kernels->name, "x86-64") != 0 && strcmp(kernels->name, "narrow") != 0;
#else
    (void)kernels;
    return 0;
#endif
}

float *kt_images(wki_plane *plane, int channels, int rows, int columns, int images, bool zeros)
{
    float *numbers = kt_floats(kt_plane(plane, channels, rows, columns));
    for (int c = 0; c < channels; c++)
        for (int y = 0; y < rows; y++)
            for (int x = 0; x < columns; x++) {
                float *pixel = numbers + c * plane->channel + y * plane->row + x * plane->column;
                for (int lane = 0; lane < (zeros ? WKI_LANES : images); lane++)
                    pixel[lane] = lane < images ? kt_float() : 0.0f;
            }
    return numbers;
}

void kt_check_bias(const char *name, int o, float bias_gradient, const float *before, const float *delta,
                   const wki_plane *plane, int rows, int columns, int images)
{
    double sum = before != NULL ? (double)before[o] : 0.0, size = fabs(sum);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < columns; x++)
            for (int lane = 0; lane < images; lane++) {
                double d = (double)delta[o * plane->channel + y * plane->row + x * plane->column + lane];
                sum += d;
                size += fabs(d);
            }
    if (!kt_near(bias_gradient, sum, (rows * columns + 6) * KT_EPS * size))
        fail_msg("%s: bias %d is %.9g, not %.9g", name, o, (double)bias_gradient, sum);
}

#include "format/scalar.h"

#include "format/bytes.h"

#include <string.h>

size_t wki_scalar_size(wki_scalar scalar)
{
    static const size_t sizes[] = {
#define SCALAR_SIZE(name, class, size) size,
        WKI_SCALAR_LIST(SCALAR_SIZE)
#undef SCALAR_SIZE
    };
    return sizes[scalar];
}

wick_dtype wki_scalar_dtype(wki_scalar scalar)
{
    switch (scalar) {
    case WKI_SCALAR_FLOAT64:
    case WKI_SCALAR_FLOAT32:
    case WKI_SCALAR_FLOAT16:
    case WKI_SCALAR_BFLOAT16:
        return WICK_FLOAT32;
    case WKI_SCALAR_UINT8:
    case WKI_SCALAR_BOOL:
        return WICK_UINT8;
    default:
        return WICK_INT64;
    }
}

static float float_of_bits(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

/* Bit for bit: a NaN keeps its payload. */
static float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3ff;
    if (exponent == 31)
        return float_of_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent == 0) {
        float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

static float read_float(wki_scalar scalar, const uint8_t *at)
{
    double wide;
    float number;
    switch (scalar) {
    case WKI_SCALAR_FLOAT64:
        memcpy(&wide, at, sizeof(wide));
        return (float)wide;
    case WKI_SCALAR_FLOAT16:
        return half_to_float(wki_get16(at));
    case WKI_SCALAR_BFLOAT16:
        return float_of_bits((uint32_t)wki_get16(at) << 16);
    default:
        memcpy(&number, at, sizeof(number));
        return number;
    }
}

static int64_t read_integer(wki_scalar scalar, const uint8_t *at)
{
    switch (scalar) {
    case WKI_SCALAR_INT8:
        return (int8_t)at[0];
    case WKI_SCALAR_INT16:
        return (int16_t)wki_get16(at);
    case WKI_SCALAR_INT32:
        return (int32_t)wki_get32(at);
    default:
        return (int64_t)wki_get64(at);
    }
}

/* Copies one row of the last dimension: count elements that lie `step` bytes apart. Returns where the
 * next row goes. */
static uint8_t *copy_row(wki_scalar scalar, const uint8_t *from, size_t step, size_t count, uint8_t *to)
{
    wick_dtype dtype = wki_scalar_dtype(scalar);
    if (scalar == WKI_SCALAR_FLOAT32 && step == sizeof(float)) {
        memcpy(to, from, count * step);
        return to + count * step;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = from + i * step;
        if (dtype == WICK_FLOAT32) {
            float number = read_float(scalar, at);
            memcpy(to, &number, sizeof(number));
        } else if (dtype == WICK_INT64) {
            int64_t number = read_integer(scalar, at);
            memcpy(to, &number, sizeof(number));
        } else {
            *to = scalar == WKI_SCALAR_BOOL ? *at != 0 : *at;
        }
        to += wick_dtype_size(dtype);
    }
    return to;
}

void wki_scalar_gather(const wki_pickled_tensor *from, wick_tensor *to)
{
    wki_scalar scalar = from->storage->scalar;
    size_t size = wki_scalar_size(scalar), dims = from->size->count;
    const wki_value *shape = from->size->items, *stride = from->stride->items;
    const uint8_t *base = from->storage->bytes;
    uint8_t *out = wick_tensor_data(to);
    uint64_t place[WICK_MAX_DIMS] = {0}, at = from->offset;
    if (from->numel == 0)
        return;
    if (dims == 0) {
        copy_row(scalar, base + at * size, size, 1, out);
        return;
    }
    /* The stride of a single element may be anything. */
    size_t step = shape[dims - 1].integer == 1 ? 0 : (size_t)stride[dims - 1].integer * size;
    for (size_t dim;;) {
        out = copy_row(scalar, base + at * size, step, (size_t)shape[dims - 1].integer, out);
        /* The next row: count up the other dimensions as an odometer does. */
        for (dim = dims - 1; dim > 0; dim--) {
            at += (uint64_t)stride[dim - 1].integer;
            if (++place[dim - 1] < (uint64_t)shape[dim - 1].integer)
                break;
            at -= (uint64_t)stride[dim - 1].integer * place[dim - 1];
            place[dim - 1] = 0;
        }
        if (dim == 0)
            return;
    }
}

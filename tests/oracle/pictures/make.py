#!/usr/bin/env python3
"""What PIL makes of pictures, for <wick/image.h>. Writes pictures.bin beside this script.

Written with Pillow 12.3.0; the seed is in the script. Pillow 13.0.0 resizes the columns of some tall pictures first, and
rounds then differently by one; 9.4.0 to 12.3.0 resize the rows first, always, as wick does.

All numbers are little-endian and of 32 bits.

  kind  1: a file that is read      2: resized   3: converted   4: padded to fit (ImageOps.pad)
  name  its length, then its bytes
  1     the file's length and its bytes; the picture as PIL reads it, laid on white, turned as its EXIF says
  2, 3  the picture before and after
  4     the picture before; the colour of the padding of each channel; the picture after
A picture is its channels, height and width, and its bytes, channel by channel.
"""
import io
import pathlib
import random
import struct

from PIL import Image, ImageOps

rng = random.Random(42)
records = []


def u32(*numbers):
    return struct.pack("<%dI" % len(numbers), *numbers)


def picture(image):
    planes = [plane.tobytes() for plane in image.split()]
    return u32(len(planes), image.height, image.width) + b"".join(planes)


def record(kind, name, *parts):
    records.append(u32(kind, len(name)) + name.encode() + b"".join(parts))


def noise(mode, width, height):
    size = width * height * len(Image.new(mode, (1, 1)).split())
    return Image.frombytes(mode, (width, height), bytes(rng.randrange(256) for _ in range(size)))


def smooth(mode, width, height):
    small = noise(mode, 5, 4)
    return small.resize((width, height), Image.BICUBIC)


def bright(image):
    """Noise at both ends of the range, where rounding and clipping show."""
    return image.point(lambda v: 255 if v > 170 else 0 if v < 85 else v)


def on_white(image):
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode in ("LA", "RGBA"):
        white = Image.new(image.mode[:-1], image.size, "white")
        white.paste(image.convert(image.mode[:-1]), mask=image.getchannel("A"))
        return white
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")


def add_file(name, image, form, wanted=None, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    data = out.getvalue()
    if wanted is None:
        wanted = on_white(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    record(1, name, u32(len(data)), data, picture(wanted))


def add_files():
    add_file("grey.png", smooth("L", 19, 13), "PNG")
    add_file("rgb.png", smooth("RGB", 17, 11), "PNG")
    add_file("grey-alpha.png", noise("LA", 13, 9), "PNG")
    add_file("rgb-alpha.png", noise("RGBA", 13, 9), "PNG")
    add_file("one-bit.png", noise("L", 21, 7).convert("1"), "PNG")
    add_file("palette.png", smooth("RGB", 18, 12).quantize(16), "PNG")
    add_file("palette-256.png", noise("RGB", 18, 12).quantize(200), "PNG")
    see_through = smooth("RGB", 18, 12).quantize(8)
    add_file("palette-alpha.png", see_through, "PNG", transparency=bytes([0, 60, 128, 255, 200]))
    add_file("grey.jpg", smooth("L", 37, 29), "JPEG", quality=90)
    add_file("444.jpg", smooth("RGB", 37, 29), "JPEG", quality=90, subsampling=0)
    add_file("420.jpg", smooth("RGB", 37, 29), "JPEG", quality=90, subsampling=2)
    add_file("422.jpg", smooth("RGB", 37, 29), "JPEG", quality=80, subsampling=1)
    add_file("progressive.jpg", smooth("RGB", 40, 24), "JPEG", quality=85, progressive=True)
    add_file("optimized.jpg", noise("L", 16, 16), "JPEG", quality=50, optimize=True)
    add_file("restart.jpg", smooth("RGB", 40, 24), "JPEG", quality=85, restart_marker_blocks=2)
    add_file("cmyk.jpg", smooth("CMYK", 24, 16), "JPEG", quality=95)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        add_file("exif-%d.jpg" % orientation, smooth("RGB", 11, 7), "JPEG", quality=90, exif=exif)


def add_resized():
    for mode, width, height, new in [
        ("L", 28, 28, (28, 28)), ("L", 56, 56, (28, 28)), ("L", 61, 47, (28, 28)), ("L", 28, 90, (28, 28)),
        ("L", 90, 28, (28, 28)), ("L", 9, 7, (28, 28)), ("L", 1, 1, (28, 28)), ("L", 1, 200, (28, 28)),
        ("L", 200, 1, (3, 5)), ("L", 50, 50, (1, 1)), ("L", 40, 36, (39, 37)), ("L", 3, 3, (2, 2)),
        ("RGB", 64, 48, (28, 28)), ("RGB", 33, 77, (32, 32)), ("RGB", 5, 5, (17, 3)), ("L", 3000, 2, (28, 28)),
    ]:
        for make in (noise, smooth):
            image = make(mode, width, height)
            if make is noise:
                image = bright(image)
            name = "%s-%dx%d-%dx%d" % (mode, width, height, *new)
            record(2, name, picture(image), picture(image.resize(new, Image.BILINEAR)))


def add_converted():
    image = bright(noise("RGB", 40, 40))
    record(3, "to-grey", picture(image), picture(image.convert("L")))
    # Colours whose luma lies near the middle between two numbers.
    near = [c for c in (tuple(rng.randrange(256) for _ in range(3)) for _ in range(40000))
            if abs((c[0] * 299 + c[1] * 587 + c[2] * 114) / 1000 % 1 - 0.5) < 0.01][:256]
    image = Image.new("RGB", (len(near), 1))
    image.putdata(near)
    record(3, "luma", picture(image), picture(image.convert("L")))
    image = noise("L", 9, 5)
    record(3, "to-rgb", picture(image), picture(image.convert("RGB")))


def add_padded():
    for mode, width, height, new in [("L", 60, 40, (28, 28)), ("L", 40, 60, (28, 28)), ("RGB", 100, 7, (28, 28)),
                                     ("L", 30, 30, (28, 28)), ("L", 7, 5, (28, 28)), ("L", 50, 49, (28, 28)),
                                     ("L", 63, 61, (32, 24))]:
        image = smooth(mode, width, height)
        fit = ImageOps.contain(image, new, Image.BILINEAR)
        colour = []
        for plane in fit.split():
            edge = [plane.getpixel((x, y)) for y in range(fit.height) for x in range(fit.width)
                    if x in (0, fit.width - 1) or y in (0, fit.height - 1)]
            colour.append(round(sum(edge) / len(edge)))
        padded = ImageOps.pad(image, new, Image.BILINEAR, color=tuple(colour) if len(colour) > 1 else colour[0])
        record(4, "%s-%dx%d-%dx%d" % (mode, width, height, *new), picture(image), u32(*colour), picture(padded))


add_files()
add_resized()
add_converted()
add_padded()
path = pathlib.Path(__file__).with_name("pictures.bin")
path.write_bytes(b"".join(records))
print(len(records), "records,", path.stat().st_size, "bytes")

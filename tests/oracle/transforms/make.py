#!/usr/bin/env python3
"""Writes transforms.bin beside this file: what torchvision makes of images with given parameters.

Made with torchvision 0.14.1, PIL 9.4.0 and PyTorch 1.13. Little-endian records, one after the other:

  kind 1, a transform: i32 kind, channels, height, width, padding, reflect, down, right, flip, rotated,
      bilinear, erase top, left, height, width; f64 degrees; u8 image; u8 erased value; u8 result. The order
      is RandomCrop's (pad, crop), hflip, rotate, erase.
  kind 2, a normalisation: i32 kind, channels, height, width; f32 mean and std a channel; u8 image; f32
      result: Normalize(ToTensor(image)).
"""
import os
import struct

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image
from torchvision.transforms import InterpolationMode

rng = np.random.default_rng(20)
out = bytearray()


def as_pil(image):
    return Image.fromarray(image[0] if image.shape[0] == 1 else image.transpose(1, 2, 0))


def as_array(picture):
    array = np.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def transform(shape, pad=0, reflect=False, down=0, right=0, flip=False, degrees=None, bilinear=False, erase=None):
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    picture = as_pil(image)
    picture = F.pad(picture, pad, padding_mode="reflect" if reflect else "constant")
    picture = F.crop(picture, down, right, shape[1], shape[2])
    if flip:
        picture = F.hflip(picture)
    if degrees is not None:
        picture = F.rotate(picture, degrees, InterpolationMode.BILINEAR if bilinear else InterpolationMode.NEAREST)
    result = torch.tensor(as_array(picture).copy())
    value = 7
    top, left, height, width = erase or (0, 0, 0, 0)
    if erase:
        result = F.erase(result, top, left, height, width, torch.tensor(value, dtype=torch.uint8))
    out.extend(struct.pack("<15i", 1, *shape, pad, reflect, down, right, flip, degrees is not None, bilinear,
                           top, left, height, width))
    out.extend(struct.pack("<d", degrees or 0.0))
    out.extend(image.tobytes() + bytes([value]) + result.numpy().tobytes())


for shape in ((1, 28, 28), (3, 9, 14), (1, 13, 5)):
    for reflect in (False, True):
        for down, right in ((0, 0), (4, 4), (8, 8), (1, 7), (6, 0)):
            transform(shape, pad=4, reflect=reflect, down=down, right=right, flip=down % 2 == 0)
    for degrees in (0.1, 7.25, -10.0, 33.333333, 45.0, -90.0, 101.7, 179.9, -180.0, 180.0, 0.0):
        for bilinear in (False, True):
            transform(shape, degrees=degrees, bilinear=bilinear)
transform((3, 16, 16), pad=3, down=5, right=1, flip=True, degrees=-21.5, bilinear=True, erase=(2, 3, 9, 4))
transform((1, 16, 16), erase=(0, 0, 15, 15))
transform((3, 7, 7), pad=6, reflect=True, down=12, right=0, flip=True, degrees=15.0, erase=(6, 6, 1, 1))

for shape in ((1, 28, 28), (3, 5, 7)):
    image = np.arange(np.prod(shape), dtype=np.int64).astype(np.uint8).reshape(shape)
    mean = np.float32([0.2860402, 0.4914, 0.4465][: shape[0]])
    std = np.float32([0.3530242, 0.2470, 0.2616][: shape[0]])
    result = F.normalize(F.to_tensor(as_pil(image)), mean.tolist(), std.tolist())
    out.extend(struct.pack("<4i", 2, *shape))
    out.extend(mean.tobytes() + std.tobytes() + image.tobytes() + result.numpy().tobytes())

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "transforms.bin"), "wb") as file:
    file.write(out)

#!/usr/bin/env python3
"""What torch.utils.data.DataLoader draws and gives, for wick_loader. Writes dataloader.txt beside this script.

torch 1.13.0 and 2.15.0 write the same file.

  pixel V F               ToTensor of the pixel V: a float32 in C's hexadecimal notation
  case COUNT BATCH SHUFFLE DROP_LAST SEED OWN
                          DataLoader over COUNT examples after torch.manual_seed(SEED); OWN: with a generator
                          of its own, seeded with SEED + 1
  epoch STOP BATCHES HASH [SIZE FIRST]...
                          an iterator, left after STOP batches (-1: at the end): how many came, the hash of all
                          their sizes and indices, and the size and first index of the first four
  draws D G               at the end of the case: the next 64-bit numbers of the default and of its own generator
"""
import pathlib

import torch
from torch.utils.data import DataLoader, TensorDataset


def add(value, number):
    for byte in int(number).to_bytes(8, "little"):
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def run_epoch(loader, stop):
    value, batches, head = 0xCBF29CE484222325, 0, ""
    iterator = iter(loader)
    while stop < 0 or batches < stop:
        batch = next(iterator, None)
        if batch is None:
            break
        indices = batch[0].tolist()
        value = add(value, len(indices))
        for index in indices:
            value = add(value, index)
        if batches < 4:
            head += f" {len(indices)} {indices[0]}"
        batches += 1
    return f"epoch {stop} {batches} {value:016x}{head}"


def run_case(count, batch, shuffle, drop_last, seed, own, stops):
    torch.manual_seed(seed)
    generator = None
    if own:
        generator = torch.Generator()
        generator.manual_seed(seed + 1)
    loader = DataLoader(TensorDataset(torch.arange(count)), batch_size=batch, shuffle=shuffle, drop_last=drop_last,
                        generator=generator)
    lines = [f"case {count} {batch} {shuffle:d} {drop_last:d} {seed} {own:d}"]
    lines += [run_epoch(loader, stop) for stop in stops]
    draw = torch.empty((), dtype=torch.int64)
    last = draw.clone().random_(generator=generator).item() if own else 0
    return lines + [f"draws {draw.random_().item()} {last}"]


def main():
    pixels = torch.arange(256, dtype=torch.uint8).to(torch.float32).div(255)
    lines = [f"pixel {i} {value.hex()}" for i, value in enumerate(pixels.tolist())]
    # Whole epochs, ones broken off, one of which nothing is asked, one broken off where the last batch would come.
    stops = [-1, 2, -1, 0, 1, -1]
    for shuffle in (False, True):
        for own in (False, True):
            for drop_last in (False, True):
                for count, batch in ((1, 1), (2, 1), (7, 3), (8, 4), (10, 32), (33, 32), (64, 32), (101, 10)):
                    for seed in (0, 42):
                        lines += run_case(count, batch, shuffle, drop_last, seed, own, stops)
                lines += run_case(100, 10, shuffle, drop_last, 2**40 + 7, own, [10, 9, 11, -1])
            lines += run_case(60000, 32, shuffle, False, 42, own, [-1, 1000, -1])
    for seed in (1, 2, 3, 1234567, 2**31, 2**62):
        lines += run_case(10007, 128, True, False, seed, False, [-1, -1])
    path = pathlib.Path(__file__).with_name("dataloader.txt")
    path.write_text("\n".join(lines) + "\n")


main()

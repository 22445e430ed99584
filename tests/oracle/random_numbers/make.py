"""Writes random_numbers.txt and state.bin: what PyTorch (2.15, on x86-64 with AVX2) draws.

    python3 make.py

A line is "OPERATION ARGUMENTS -> BYTES"; the operations run one after the other on the default generator.
BYTES are the numbers' bytes in hexadecimal where they are 64 or fewer, else "sha256:" and their sum. "state"
gives the bytes of torch.get_rng_state(), "save" keeps a state, "restore" goes back to it and "load" to the
one in state.bin. Floating-point arguments are hexadecimal.
"""

import hashlib
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
SEEDS = [0, 1, 42, 2**31, 2**32 - 1, 2**32 + 42, 67280421310721, 2**63 - 1, 2**63 + 5, 2**64 - 1]
RANGES = [
    (0, 10),
    (0, 60000),
    (-5, 1000),
    (0, 2**27),
    (0, 2**28 - 1),
    (0, 2**32),
    (-(2**40), 2**50),
    (-(2**63), 2**63 - 1),
]
UNIFORMS = [
    (0.0, 1.0),
    (-1 / 28, 1 / 28),
    (-1 / 3, 1 / 3),
    (2.0, 5.0),
    (-0.19245, 0.19245),
    (-1e30, 1e38),
    (7.0, 7.0),
]
# PyTorch 1.13 gives all the same numbers but for these: it takes 32 bits for such a range, and leaves a number
# that was rounded up to `high`. So they come last. Also its kept normals differ in some last bits.
NEWER_RANGES = [(0, 2**28), (-3, 2**31), (0, 2**32 - 1)]
NEWER_UNIFORMS = [(1.0, 1.0000002)]
lines = []


def record(operation, numbers):
    raw = numbers.contiguous().numpy().tobytes()
    bits = raw.hex() if len(raw) <= 64 else "sha256:" + hashlib.sha256(raw).hexdigest()
    lines.append(f"{operation} -> {bits}")


def state():
    record("state", torch.get_rng_state())


def randn(count):
    record(f"randn {count}", torch.randn(count))


def rand(count):
    record(f"rand {count}", torch.rand(count))


def normal(mean, std, count):
    record(f"normal {mean.hex()} {std.hex()} {count}", torch.empty(count).normal_(mean, std))


def uniform(low, high, count):
    record(f"uniform {low.hex()} {high.hex()} {count}", torch.empty(count).uniform_(low, high))


def randint(low, high, count):
    record(f"randint {low} {high} {count}", torch.randint(low, high, (count,)))


def randbytes(low, high, count):
    record(f"bytes {low} {high} {count}", torch.empty(count, dtype=torch.uint8).random_(low, high))


def randperm(count):
    record(f"randperm {count}", torch.randperm(count))


def int64():
    record("int64", torch.empty((), dtype=torch.int64).random_())


def everything():
    state()
    for count in [1, 2, 3, 0, 5, 15, 16, 17, 31, 32, 33, 100, 1000, 1]:
        randn(count)
        state()
    for count in [1, 15, 623, 624, 625, 5000]:
        rand(count)
    state()
    for low, high in UNIFORMS:
        uniform(low, high, 7)
        uniform(low, high, 3001)
    for low, high in RANGES:
        randint(low, high, 5)
        randint(low, high, 700)
    randbytes(0, 256, 1000)
    randbytes(3, 201, 77)
    for count in [0, 1, 2, 3, 10, 1000, 60000]:
        randperm(count)
    for _ in range(3):
        int64()
    for mean, std in [(0.0, 1.0), (1.0, 2.0), (-3.3, 0.1), (5.0, 0.0)]:
        normal(mean, std, 5)
        normal(mean, std, 4099)
    state()
    for low, high in NEWER_UNIFORMS:
        uniform(low, high, 3001)
    for low, high in NEWER_RANGES:
        randint(low, high, 5)
        randint(low, high, 700)
    state()


def main():
    for seed in SEEDS:
        torch.manual_seed(seed)
        lines.append(f"seed {seed} -> ")
        everything()
    torch.manual_seed(42)
    lines.append("seed 42 -> ")
    randn(100003)
    uniform(-1 / 28, 1 / 28, 100003)
    # The double of a pair that is kept: its last bits show in the state only.
    randn(1)
    for _ in range(150):
        randn(2)
        state()
    # A state in the middle of a pair of normals, kept and gone back to.
    randn(3)
    saved = torch.get_rng_state()
    with open(os.path.join(HERE, "state.bin"), "wb") as file:
        file.write(saved.numpy().tobytes())
    lines.append("save -> ")
    randn(2)
    randperm(100)
    for operation in ["restore", "load"]:
        torch.set_rng_state(saved)
        lines.append(f"{operation} -> ")
        state()
        randn(2)
        randperm(100)
    with open(os.path.join(HERE, "random_numbers.txt"), "w") as file:
        file.write("\n".join(lines) + "\n")


main()

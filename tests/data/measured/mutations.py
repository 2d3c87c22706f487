"""Damage to files, drawn from a seed: cuts, flips, garbage, zeros, bytes lost or doubled."""

import numpy as np


def _cut(raw, rng):
    return raw[: rng.integers(0, len(raw))]


def _flip_bits(raw, rng):
    changed = bytearray(raw)
    for place in rng.integers(0, len(raw), rng.integers(1, 20)):
        changed[place] ^= 1 << rng.integers(0, 8)
    return bytes(changed)


def _flip_header(raw, rng):
    end = min(len(raw), 1200)
    return _flip_bits(raw[:end], rng) + raw[end:]


def _garbage(raw, rng):
    start, length = rng.integers(0, min(len(raw), 600)), rng.integers(1, 400)
    return raw[:start] + rng.bytes(length) + raw[start + length :]


def _zeros(raw, rng):
    start, length = rng.integers(0, len(raw)), rng.integers(1, 400)
    return raw[:start] + bytes(min(length, len(raw) - start)) + raw[start + length :]


def _lose(raw, rng):
    start, length = rng.integers(0, len(raw)), rng.integers(1, 50)
    return raw[:start] + raw[start + length :]


def _double(raw, rng):
    start, length = rng.integers(0, len(raw)), rng.integers(1, 50)
    return raw[: start + length] + raw[start:]


KINDS = (_cut, _flip_bits, _flip_header, _garbage, _zeros, _lose, _double)


def damage(path, seed):
    """Damage a file, or one file of a folder; says how."""
    rng = np.random.default_rng(seed)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    file = files[rng.integers(len(files))]
    kind = KINDS[seed % len(KINDS)]
    file.write_bytes(kind(file.read_bytes(), rng))
    return f"{kind.__name__.strip('_')} of {file.name}"

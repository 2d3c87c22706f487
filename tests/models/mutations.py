"""Model folders that went wrong in some way, each made anew from its number."""

import hashlib
import json
import os
import pickle
import shutil
import struct

import numpy as np
import safetensors.numpy

from latent_nmr.models.card_checks import MAX_CARD_BYTES

WEIGHTS, CARD = "weights.safetensors", "model.json"
STRANGE = [
    None, True, False, 0, -1, 3, 2.5, 1e308, 10**400, "", "1", "\x1b[2J\ud800", "x" * 100_000,
    [], [[]], ["x"], [None], [-1], [10**30], [[1], [1, 2]], {}, {"x": 1},
]  # fmt: skip
NOT_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "nan", "0x10", "01", "1_000", "9" * 5000]
TAGS = ["F64", "F16", "BF16", "F8_E4M3", "I32", "U8", "BOOL", "C64", "f32", "", "Q", 7, None]


class Bomb:
    """Leaves a mark on the interpreter that unpickles it."""

    def __reduce__(self):
        return exec, ("import sys; sys.exploded = True",)


def edit(folder, change):
    """Read the card, change it, and write it back."""
    card = json.loads((folder / CARD).read_text("utf-8"))
    change(card)
    (folder / CARD).write_text(json.dumps(card), "utf-8")


def place_in(card, rng, numbers_only=False):
    """The container and key of a random entry at any depth."""
    found = []

    def visit(value):
        for key in value if isinstance(value, dict) else range(min(len(value), 3)):
            entry = value[key]
            if not numbers_only or type(entry) in (int, float):
                found.append((value, key))
            if isinstance(entry, dict | list):
                visit(entry)

    visit(card)
    return found[rng.integers(len(found))]


def flip_bits(raw, rng):
    raw = bytearray(raw)
    for place in rng.integers(0, len(raw), rng.integers(1, 20)):
        raw[place] ^= 1 << int(rng.integers(8))
    return bytes(raw)


def cut(raw, rng):
    return raw[: int(rng.integers(len(raw)))]


def with_arrays(change):
    """Mutator of the weights file from one of its arrays."""

    def mutate(raw, rng):
        loaded = safetensors.numpy.load(raw)  # in any order
        arrays = {name: loaded[name].copy() for name in sorted(loaded)}
        names = sorted(arrays)
        change(arrays, names[rng.integers(len(names))], rng)
        return safetensors.numpy.save(arrays, metadata={"format": "latent_nmr.beta_vae"})

    return mutate


def reshape(arrays, name, rng):
    array = arrays[name]
    shapes = [array.T, array[..., None], array[:-1], np.concatenate([array, array]), array.ravel()]
    arrays[name] = np.ascontiguousarray(shapes[rng.integers(len(shapes))])


def spoil(arrays, name, rng):
    value = (np.nan, np.inf, -np.inf)[rng.integers(3)]
    arrays[name].flat[rng.integers(arrays[name].size)] = value


def enlarge(arrays, name, rng):
    size = np.float32(10.0 ** rng.uniform(3, 38.5))
    chosen = [name] if rng.integers(2) else list(arrays)
    for each in chosen:
        places = rng.random(arrays[each].shape) < rng.uniform(0.05, 1)
        signs = rng.choice(np.float32([-1, 1]), arrays[each].shape)
        arrays[each] = np.where(places, signs * size, arrays[each]).astype(np.float32)


def retype(arrays, name, rng):
    dtype = (np.float64, np.float16, np.int32, np.uint8, np.bool_)[rng.integers(5)]
    for each in [name] if rng.integers(2) else list(arrays):
        arrays[each] = arrays[each].astype(dtype)


def rename(arrays, name, rng):
    choice = rng.integers(3)
    if choice != 0:
        arrays["../" + name if choice == 1 else "extra"] = arrays[name].copy()
    if choice != 2:
        del arrays[name]


def with_header(change):
    """Mutator of the header, JSON before the arrays of a safetensors file."""

    def mutate(raw, rng):
        (length,) = struct.unpack("<Q", raw[:8])
        header = json.loads(raw[8 : 8 + length])
        names = sorted(name for name in header if name != "__metadata__")
        text = change(header, names[rng.integers(len(names))], rng) or json.dumps(header)
        return struct.pack("<Q", len(text.encode())) + text.encode() + raw[8 + length :]

    return mutate


def overlap(header, name, rng):
    start, end = header[name]["data_offsets"]
    tricks = [[0, end - start], [start, end + 4], [start + 4, end], [end, start]]
    tricks += [[-4, end], [start, 2**63], [2**64 - 4, 2**64], [0.0, 4.0], []]
    header[name]["data_offsets"] = tricks[rng.integers(len(tricks))]


def tag(header, name, rng):
    header[name]["dtype"] = TAGS[rng.integers(len(TAGS))]


def misshape(header, name, rng):
    shapes = [[2**62, 4], [2**32, 2**32], [-1], [0], [], [1.5], "8", None, [1] * 5000, [[8]]]
    header[name]["shape"] = shapes[rng.integers(len(shapes))]


def rewrite(header, name, rng):
    text = json.dumps(header)
    deep = 10_000
    choices = [
        "[" * deep + "]" * deep,
        '{"a":' * deep + "1" + "}" * deep,
        text.replace("{", '{"__metadata__":{},"__metadata__":{},', 1),
        "{" + json.dumps({name: header[name]})[1:-1] + "," + text[1:],
        "[]", "", " " * 1000, "\ufeff" + text, text[:-1], text + "x", json.dumps({name: None}),
        json.dumps({f"x{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
                    for i in range(8000)}),
        json.dumps(header | {"__metadata__": {"format": 1}}),
    ]  # fmt: skip
    return choices[rng.integers(len(choices))]


def lie_about_length(raw, rng):
    lengths = (0, 1, 7, len(raw), len(raw) - 8, 2**31, 2**40, 2**63, 2**64 - 1)
    return struct.pack("<Q", lengths[rng.integers(len(lengths))]) + raw[8:]


WEIGHT_MUTATORS = {
    "weights: flipped bits": flip_bits,
    "weights: truncated": cut,
    "weights: wrong shape": with_arrays(reshape),
    "weights: not finite": with_arrays(spoil),
    "weights: huge": with_arrays(enlarge),
    "weights: wrong type": with_arrays(retype),
    "weights: names": with_arrays(rename),
    "header: offsets": with_header(overlap),
    "header: type": with_header(tag),
    "header: shape": with_header(misshape),
    "header: text": with_header(rewrite),
    "header: length": lie_about_length,
}


def flip_card(folder, rng):
    (folder / CARD).write_bytes(flip_bits((folder / CARD).read_bytes(), rng))


def cut_card(folder, rng):
    (folder / CARD).write_bytes(cut((folder / CARD).read_bytes(), rng))


def drop_key(folder, rng):
    def change(card):
        container, key = place_in(card, rng)
        del container[key]

    edit(folder, change)


def add_key(folder, rng):
    def change(card):
        containers = [card, card["fitted"], card["parameters"], card["fitted"]["history"][0]]
        container = containers[rng.integers(len(containers))]
        container[("extra", "__class__", "")[rng.integers(3)]] = STRANGE[rng.integers(len(STRANGE))]

    edit(folder, change)


def strange_value(folder, rng):
    def change(card):
        container, key = place_in(card, rng)
        container[key] = STRANGE[rng.integers(len(STRANGE))]

    edit(folder, change)


def other_number(folder, rng):
    def change(card):
        container, key = place_in(card, rng, numbers_only=True)
        factor = 10.0 ** rng.integers(-300, 300) * (-1) ** rng.integers(2)
        container[key] = type(container[key])(min(container[key] * factor, 1e300))

    edit(folder, change)


def absurd_sizes(folder, rng):
    sizes = [
        {"n_features": 10**12}, {"hidden_layer_sizes": [10**6] * 4}, {"n_components": 10**9},
        {"hidden_layer_sizes": [3000] * 11}, {"hidden_layer_sizes": [1] * 10**5},
        {"hidden_layer_sizes": [9000, 9000]}, {"n_features": 10**400}, {"n_components": 0},
        {"hidden_layer_sizes": [8] * 64}, {"n_features": 5_000_000},
    ]  # fmt: skip
    edit(folder, lambda card: card.update(sizes[rng.integers(len(sizes))]))


def nested(folder, rng):
    deep = int(rng.choice([1000, 10_000, 90_000]))
    inner = ("[" * deep + "]" * deep, '{"a":' * deep + "1" + "}" * deep)[rng.integers(2)]
    text = (folder / CARD).read_text("utf-8")
    if rng.integers(2):
        text = text.replace('"metadata": {', f'"metadata": {{"deep": {inner}, ', 1)
    else:
        text = inner
    (folder / CARD).write_text(text, "utf-8")


def key_twice(folder, rng):
    text = (folder / CARD).read_text("utf-8")
    key = ("format", "n_features", "best_epoch", "weights_sha256", "epoch")[rng.integers(5)]
    value = STRANGE[rng.integers(len(STRANGE))]
    # ASCII, because a lone half of a surrogate pair has no bytes of its own.
    text = text.replace(f'"{key}":', f'"{key}": {json.dumps(value)}, "{key}":', 1)
    (folder / CARD).write_text(text, "utf-8")


def no_number(folder, rng):
    marker = 123456789.25

    def change(card):
        container, key = place_in(card, rng, numbers_only=True)
        container[key] = marker

    edit(folder, change)
    text = (folder / CARD).read_text("utf-8")
    word = NOT_NUMBERS[rng.integers(len(NOT_NUMBERS))]
    (folder / CARD).write_text(text.replace(str(marker), word), "utf-8")


def much_json(folder, rng):
    part = ("[],", "{},", "1.5,", '"ab",', "[[],1],", '{"a":1},', "7,", '"\\ud800",')[
        rng.integers(8)
    ]
    text = (folder / CARD).read_text("utf-8")
    room = int((MAX_CARD_BYTES if rng.integers(2) else 500_000) - len(text.encode()) - 50)
    many = '"metadata": {"m": [' + part * (room // len(part)) + "0], "
    (folder / CARD).write_text(text.replace('"metadata": {', many, 1), "utf-8")


def pickled_card(folder, rng):
    raw = pickle.dumps(Bomb(), protocol=int(rng.integers(0, 6)))
    (folder / CARD).write_bytes(raw)


def swapped(folder, rng):
    choice = rng.integers(3)
    if choice == 0:
        (folder / CARD).rename(folder / "x")
        (folder / WEIGHTS).rename(folder / CARD)
        (folder / "x").rename(folder / WEIGHTS)
    else:
        source, target = (CARD, WEIGHTS) if choice == 1 else (WEIGHTS, CARD)
        shutil.copyfile(folder / source, folder / target)


def no_file(folder, rng):
    path = folder / (WEIGHTS, CARD)[rng.integers(2)]
    moved = folder.parent / "moved"
    kinds = ["fifo", "folder", "gone", "circle", "dangling", "sparse", "/dev/zero", "/dev/tty"]
    kind = [*kinds, "/proc/self/mem", "empty", "link"][rng.integers(len(kinds) + 3)]
    path.rename(moved)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "circle":
        path.symlink_to(path)
    elif kind in ("sparse", "empty"):
        path.touch()
        os.truncate(path, 2**40 if kind == "sparse" else 0)
    elif kind != "gone":
        path.symlink_to({"dangling": folder / "nowhere", "link": moved}.get(kind, kind))


CARD_MUTATORS = {
    "card: flipped bits": flip_card,
    "card: truncated": cut_card,
    "card: missing key": drop_key,
    "card: extra key": add_key,
    "card: strange value": strange_value,
    "card: other number": other_number,
    "card: absurd sizes": absurd_sizes,
    "card: nested": nested,
    "card: key twice": key_twice,
    "card: no number": no_number,
    "card: very long": much_json,
    "card: a pickle": pickled_card,
    "files: swapped": swapped,
    "files: not a file": no_file,
}
KINDS = [*WEIGHT_MUTATORS, "weights: a pickle", *CARD_MUTATORS]


def make_mutant(whole, target, number):
    """Write mutant `number` of the folder `whole` to `target`; returns its kind."""
    shutil.copytree(whole, target)
    round_, index = divmod(number, len(KINDS))
    kind, rng = KINDS[index], np.random.default_rng(number)
    if kind in CARD_MUTATORS:
        CARD_MUTATORS[kind](target, rng)
        return kind
    if kind == "weights: a pickle":
        raw = pickle.dumps(Bomb()) + bytes(rng.integers(2) * 10_000)
    else:
        raw = WEIGHT_MUTATORS[kind]((target / WEIGHTS).read_bytes(), rng)
    (target / WEIGHTS).write_bytes(raw)
    if round_ % 2:
        digest = hashlib.sha256(raw).hexdigest()
        edit(target, lambda card: card.update(weights_sha256=digest))
        return kind + ", own checksum"
    return kind

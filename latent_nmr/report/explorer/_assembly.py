"""The file: modules of JavaScript joined to one script, arrays packed to one text."""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._json import json_value

# In this order: each imports only from those before it.
MODULES = (
    "decoder", "arrays", "figure", "words", "pen", "screen", "space", "record", "regions", "map",
    "curves", "state", "view", "changes", "controls", "pointer", "echoes", "page",
)  # fmt: skip
IMPORT = re.compile(r"^import \{[^}]*\} from \"\./(\w+)\.mjs\";\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?function|const)", re.MULTILINE)
TYPES = {"float16": "f2", "float32": "f4", "uint8": "u1", "int16": "i2"}
INT16_ZERO = 2**15 + 128
START = """
start().then((explorer) => { window.explorer = explorer; }, (error) => {
  const failure = document.getElementById("failure");
  failure.textContent = `The page cannot be shown: ${error.message}.`;
  failure.hidden = false;
});
"""


def assemble(
    facts: Mapping[str, Any], arrays: Mapping[str, npt.NDArray], texts: Mapping[str, str]
) -> str:
    """The page.

    Parameters
    ----------
    facts, arrays : mapping
        See `latent_nmr.studies.explorer.ExplorerContent`.
    texts : mapping of str
        `title`, `lead` and `wanted` as text, `footer` as HTML.
    """
    packed, listed = pack(arrays)
    script = whole_script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = json.dumps(
        json_value({**facts, "arrays": listed}, any_key=True), ensure_ascii=False, allow_nan=False
    )
    return Template(_source("page.html")).substitute(
        {name: escape(texts[name]) for name in ("title", "lead", "wanted")},
        footer=texts["footer"],
        style=_source("page.css"),
        script=script,
        script_hash=f"'sha256-{digest}'",
        facts=text.replace("<", "\\u003c"),  # no name of a label ends the element
        arrays=packed,
    )


def pack(arrays: Mapping[str, npt.NDArray]) -> tuple[str, list[dict[str, Any]]]:
    """Arrays as base64 of one compressed block, and where each lies in it.

    So that they pack well, the first bytes of all numbers of an array come first, then the second;
    rows of `curves` are kept as differences from sample to sample, and to int16 half of its range
    is added, and 128, so that small numbers have the same second byte.
    """
    listed, blocks = [], []
    for name, array in arrays.items():
        kept = np.diff(array, axis=1, prepend=np.uint8(0)) if name == "curves" else array
        if array.dtype == np.int16:
            kept = (array.astype(np.int32) + INT16_ZERO).astype(np.uint16)
        little = np.ascontiguousarray(kept, kept.dtype.newbyteorder("<"))
        planes = np.frombuffer(little.tobytes(), np.uint8).reshape(-1, little.itemsize).T
        blocks.append(planes.tobytes())
        listed.append({"name": name, "type": TYPES[array.dtype.name], "shape": list(array.shape)})
    return base64.b64encode(zlib.compress(b"".join(blocks), 9)).decode("ascii"), listed


def whole_script() -> str:
    """All modules as one: browsers refuse to load modules from a folder."""
    seen: list[str] = []
    parts = ["\n"]
    for name in MODULES:
        source = _source(f"{name}.mjs")
        missing = set(IMPORT.findall(source)) - set(seen)
        assert not missing, f"{name}.mjs imports {missing}, which come later"
        parts.append(EXPORT.sub("", IMPORT.sub("", source)))
        seen.append(name)
    # Each in a scope of its own would need a loader; names are therefore unique.
    return "".join([*parts, START])


def _source(name: str) -> str:
    return (files("latent_nmr.report.explorer") / name).read_text("utf-8")

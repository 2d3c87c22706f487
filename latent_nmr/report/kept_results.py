"""Results kept as JSON: written whole, and found again by what they say of themselves."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latent_nmr._files import write_json
from latent_nmr._regular import regular
from latent_nmr.errors import InputError

# What the entry `format` of a result says.
EVALUATION, PROBE, CHALLENGE = (
    f"latent_nmr.{study}" for study in ("evaluation", "probe", "challenge")
)


def write_result(path: Path, result: Mapping[str, Any]) -> None:
    """Write a result as indented JSON, atomically."""
    write_json(path, result)


def read_result(path: Path) -> dict[str, Any]:
    """Read a result.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no JSON object.
    """
    regular(path)
    try:
        result = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, type(error).__name__) from error
    if not isinstance(result, dict):
        raise _unreadable(path, f"it holds a {type(result).__name__}")
    return result


def read_results(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Every result of a command in a folder whose `format` is `kind`, in the order of file names.

    Parameters
    ----------
    folder : Path
        Files in it that end in `.json` are read; their names say nothing of what they hold.
    kind : str
        Such as `PROBE`.

    Raises
    ------
    InputError
        If the folder holds a `.json` file that cannot be read.
    """
    results = map(read_result, sorted(folder.glob("*.json")))
    # The result of a study itself, as its `save` writes it, names no command.
    return [one for one in results if one.get("format") == kind and "command" in one]


def shared_manifest(out: Path, name: str) -> dict[str, Any] | None:
    """What the manifest that the files of a figure shared in earlier versions says of `out`.

    `map.png` and `map.pdf` had `map.run.json`, `name` being `run.json`. None if there is none, or
    it says nothing of this file.
    """
    try:
        found = json.loads(regular(out.with_name(f"{out.stem}.{name}")).read_text("utf-8"))
        if out.name not in found["files"]:
            return None
        digests = {file: d for file, d in found.get("digests", {}).items() if file == out.name}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return found | {"files": [out.name], "digests": digests}


def _unreadable(path: Path, reason: str) -> InputError:
    return InputError(
        f"a kept result must be a JSON object, but {path} cannot be read as one ({reason}). "
        "Restore it, or move it elsewhere."
    )

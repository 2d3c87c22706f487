"""What comes with the package: trained models and a reference set, known by their names.

The folder `_shipped` holds them, and a manifest with a version and the SHA-256 of each file.
"""

import json
from pathlib import Path
from typing import Any, Literal

from latent_nmr._files import file_digest, write_json
from latent_nmr.errors import InputError, check_choice

Kind = Literal["models", "data"]

FOLDER = Path(__file__).parent / "_shipped"
MANIFEST_FILE = "manifest.json"
REFERENCE = "reference"


def shipped_names(kind: Kind, folder: Path = FOLDER) -> list[str]:
    """Names of the shipped models or data sets."""
    return sorted(_manifest(folder)[kind])


def shipped_path(kind: Kind, name: str, folder: Path = FOLDER) -> Path:
    """Folder of a shipped model, or file of a shipped data set, after its files were checked.

    Parameters
    ----------
    kind : {"models", "data"}
    name : str
        Such as `echo` for a model, or `reference` for a data set.
    folder : Path
        Where the manifest is.

    Raises
    ------
    InputError
        If there is nothing of that name, or a file is missing or not the one in the manifest.
    """
    entries = _manifest(folder)[kind]
    entry = entries[check_choice("name", name, sorted(entries))]
    place = folder / entry["path"]
    for file, wanted in entry["files"].items():
        path = place.with_name(file) if kind == "data" else place / file
        try:
            found = file_digest(path)
        except OSError as error:
            raise _damaged(name, f"{path} cannot be read ({error.strerror})") from error
        if found != wanted:
            raise _damaged(name, f"{path} has the SHA-256 {found[:12]}…, not {wanted[:12]}…")
    return place


def named_or_path(kind: Kind, path: Path | str, folder: Path = FOLDER) -> Path:
    """Return `path`, or the place of what is shipped under that name if nothing is at `path`.

    A folder or file of the same name in the working directory therefore wins; ``./echo`` is never
    a name.
    """
    text = str(path)
    path = Path(path)
    if text in _manifest(folder)[kind] and not path.exists():
        return shipped_path(kind, text, folder)
    return path


def write_manifest(folder: Path = FOLDER) -> list[str]:
    """Bring the manifest up to date; returns the names of what has changed, whose version rises.

    For who publishes models: an entry, with a title and a path, must be there.
    """
    manifest, changed = _manifest(folder), []
    for name, entry in (*manifest["models"].items(), *manifest["data"].items()):
        place = folder / entry["path"]
        paths = sorted(place.iterdir()) if place.is_dir() else [place]
        files = {path.name: file_digest(path) for path in paths}
        if files != entry["files"]:
            entry |= {"version": entry["version"] + 1, "files": files}
            changed.append(name)
    write_json(folder / MANIFEST_FILE, manifest)
    return changed


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / MANIFEST_FILE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged("latent_nmr", f"{folder / MANIFEST_FILE} cannot be read") from error


def _damaged(name: str, reason: str) -> InputError:
    return InputError(
        f"{name} must be as it came with the package, but {reason}. Install latent-nmr again."
    )

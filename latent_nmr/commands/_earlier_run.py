"""What train-vae finds at --out: nothing, an equal run, or something it must not touch."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr._files import sweep_staging
from latent_nmr.errors import InputError
from latent_nmr.shipped import named_or_path

if TYPE_CHECKING:
    import xarray as xr

RUN_FILE = "run.json"
# What a run writes, and so all that --force may remove.
RUN_FILES = {"weights.safetensors", "model.json", RUN_FILE, "history.csv", "embedding.csv"}
FIGURES_FOLDER, FIGURE_SUFFIXES = "figures", {".png", ".pdf"}


def finished_run(out: Path, settings: dict[str, Any], *, force: bool) -> dict[str, Any] | None:
    """Return the result of an equal run at `out`, None if `out` may be written, else raise."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    if not (out / RUN_FILE).is_file():
        raise InputError(
            f"--out must be a new folder or an earlier run, but {out} holds something else. "
            "Choose another."
        )
    if force:
        refuse_foreign_files(out)
        return None
    result = _read_result(out)
    for name, value in settings.items():
        if result["settings"].get(name) != value:
            raise InputError(
                f"--out must not hold a run with other settings, but {out} has {name} = "
                f"{result['settings'].get(name)!r} and {value!r} is asked for. "
                "Choose another --out, or use --force to replace it."
            )
    return result


def refuse_foreign_files(out: Path) -> None:
    """Raise if the folder of a run holds anything that no run wrote."""
    for path in sorted(out.rglob("*")):
        inside = path.relative_to(out)
        is_figure = inside.parts[0] == FIGURES_FOLDER and (
            len(inside.parts) == 1 or path.suffix in FIGURE_SUFFIXES
        )
        if not is_figure and str(inside) not in RUN_FILES:
            raise InputError(
                f"--force must remove nothing but a run's own files, but {out} also holds "
                f"{inside}. Move it away, or choose another --out."
            )


def refuse_other_data(out: Path, result: dict[str, Any], load: Callable[[], "xr.Dataset"]) -> str:
    """Check a finished run against its data, if they still exist; returns a remark."""
    from latent_nmr.data.echoes import fingerprint

    if not named_or_path("data", result["data"]).exists():
        return f"its data, {result['data']}, are gone"
    if fingerprint(load()) != result["data_sha256"]:
        raise InputError(
            f"--out must not hold a run on other data, but {result['data']} has changed since "
            f"{out} was made. Choose another --out, or use --force to replace it."
        )
    return ""


def progress_file(out: Path) -> Path:
    """File beside `out` that keeps the progress of its training; sweeps what a kill left."""
    out = out.resolve()
    path = out.with_name(f".{out.name}.progress")
    sweep_staging(path)
    return path


def write_manifest(folder: Path, result: dict[str, Any]) -> None:
    """Write run.json, from which the run can be reported and made again."""
    from latent_nmr._files import write_json

    options = [
        f"--{name.replace('_', '-')} {value}"
        for name, value in result["settings"].items()
        if value is not None
    ]
    command = "latent-nmr train-vae " + " ".join(options)
    write_json(folder / RUN_FILE, {"command": command, **result})


def _read_result(out: Path) -> dict[str, Any]:
    """Read run.json, or say that it is damaged."""
    try:
        result = json.loads((out / RUN_FILE).read_text("utf-8"))
        if not isinstance(result["settings"], dict):
            raise TypeError("settings")
        for name in ("data", "data_sha256", "stop_reason", "axes", "axis_names"):
            result[name]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"--out must be a new folder or a whole run, but {out / RUN_FILE} is damaged "
            f"({type(error).__name__}). Use --force to train anew, or choose another --out."
        ) from error
    return result

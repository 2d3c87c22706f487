"""Commands that work for minutes: what is finished, what is under way, and how to go on with it.

The work is done in a folder beside --out, every step kept in a file of its own, and takes the name
of --out when it is whole: a killed run goes on where it was, and nothing half-done has that name.
"""

import contextlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from importlib.metadata import version
from pathlib import Path
from typing import Any

from latent_nmr._files import staged_file, sweep_staging, write_json
from latent_nmr._interrupts import stop_if_interrupted
from latent_nmr.commands._shell import tell
from latent_nmr.errors import InputError

IDENTITY_FILE = "identity.json"
PACKAGES = ("latent-nmr", "jax", "scikit-learn", "umap-learn", "numpy")


def finished_result(
    out: Path,
    settings: Mapping[str, Any],
    *,
    force: bool,
    file: str,
    entries: Collection[str],
    noun: str,
    needed: Collection[str],
) -> dict[str, Any] | None:
    """Return an equal result at `out`, None if `out` may be written, else raise.

    Parameters
    ----------
    out : Path
    settings : mapping
        Options that decide the result, as JSON holds them.
    force : bool
    file : str
        The result, with `settings` in it.
    entries : collection of str
        All that the command writes, and so all that --force may remove.
    noun : str
        What messages call the result.
    needed : collection of str
        Keys without which the file is damaged.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    if not (out / file).is_file() or {entry.name for entry in out.iterdir()} - {*entries}:
        raise InputError(
            f"--out must be a new folder or an earlier {noun} and nothing else, but {out} "
            "holds other things. Choose another."
        )
    if force:
        return None
    try:
        result = json.loads((out / file).read_text("utf-8"))
        earlier = result["settings"]
        different = [name for name, value in settings.items() if earlier.get(name) != value]
        for name in needed:
            result[name]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"--out must be a new folder or a whole {noun}, but {out / file} is damaged "
            f"({type(error).__name__}). Use --force to do it anew, or choose another --out."
        ) from error
    if different:
        name = different[0]
        raise InputError(
            f"--out must not hold an earlier {noun} with other settings, but {out} has {name} = "
            f"{earlier.get(name)!r} and {settings[name]!r} is asked for. Choose another --out, or "
            "use --force to replace it."
        )
    return result


def progress_folder(out: Path, identity: Mapping[str, Any], kept: Collection[str]) -> Path:
    """Folder beside `out` to work in; takes up what is there, or in `out`, of the same identity.

    Parameters
    ----------
    out : Path
    identity : mapping
        What decides the steps, as JSON holds it; versions of packages are added.
    kept : collection of str
        Folders and files in it that a further run can go on from.
    """
    out = out.resolve()
    sweep_staging(out)
    folder = out.with_name(f".{out.name}.progress")
    whole = {**identity, "packages": versions()}
    if _identity_of(folder) != whole:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if _identity_of(out) == whole:
            for name in kept:
                copy = shutil.copytree if (out / name).is_dir() else shutil.copyfile
                copy(out / name, folder / name)
        write_json(folder / IDENTITY_FILE, whole)
    return folder


def versions() -> dict[str, str]:
    """Of the packages that results depend on."""
    return {name: version(name) for name in PACKAGES}


class Ledger:
    """Results of steps, one JSON file each, so that none is computed twice.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    on_step : callable
        Called with the name of each step of :meth:`take_all` when its result is there.
    """

    def __init__(self, folder: Path, on_step: Callable[[str], object]):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._on_step = folder, on_step

    def take_all(
        self, steps: Sequence[tuple[str, Callable[[], Any]]], n_workers: int = 1
    ) -> list[Any]:
        """Results of all steps, in their order.

        Parameters
        ----------
        steps : sequence of (str, callable)
            Name of each result, and what computes it.
        n_workers : int
            Threads that compute side by side; fits of scikit-learn let go of the interpreter.
        """
        has_failed = threading.Event()

        def take(name: str, compute: Callable[[], Any]) -> Any:
            if has_failed.is_set():
                return None  # nobody will ask for it
            try:
                return self.take(name, compute)
            except BaseException:
                has_failed.set()
                raise

        with ThreadPoolExecutor(n_workers) as pool:
            futures = {pool.submit(take, *step): step[0] for step in steps}
            try:
                for future in as_completed(futures):
                    future.result()
                    if not has_failed.is_set():
                        self._on_step(futures[future])
            except BaseException as error:
                # What has begun is waited for: a thread cannot be stopped, and the folder is ours
                # only as long as we wait. Nothing more is begun.
                pool.shutdown(wait=False, cancel_futures=True)
                _wait_for_all(futures, is_interrupt=isinstance(error, KeyboardInterrupt))
                raise
        return [future.result() for future in futures]

    def take(self, name: str, compute: Callable[[], Any]) -> Any:
        """The result called `name`: from its file, or computed and then written."""
        stop_if_interrupted()
        path = self._folder / f"{name}.json"
        if path.is_file():
            return json.loads(path.read_text("utf-8"))
        # Through JSON, so that a first run and a continued one see the same values.
        text = json.dumps(compute(), ensure_ascii=False)
        with staged_file(path) as staging:
            staging.write_text(text, "utf-8")
        return json.loads(text)


def _wait_for_all(futures: Mapping[Future, str], *, is_interrupt: bool) -> None:
    """Wait for the steps that are under way, however often Ctrl-C is pressed meanwhile."""
    while running := {future: name for future, name in futures.items() if future.running()}:
        if is_interrupt:
            tell(f"interrupted: waiting for {', '.join(running.values())}")
        try:
            wait(running)
        except KeyboardInterrupt:
            is_interrupt = True


@contextlib.contextmanager
def time_kept(path: Path) -> Iterator[None]:
    """Add the seconds spent inside to those in a file, however it ends short of a kill."""
    start = time.perf_counter()
    try:
        yield
    finally:
        before = json.loads(path.read_text("utf-8")) if path.is_file() else 0.0
        write_json(path, before + time.perf_counter() - start)


def command_of(name: str, settings: Mapping[str, Any], positional: str = "data") -> str:
    """The command that makes a result again; one of its settings is given without a flag."""
    words = [f"latent-nmr {name}", str(settings[positional])]
    for option, value in settings.items():
        flag = "--" + option.replace("_", "-")
        if option == positional or value is None or value == []:
            continue
        if isinstance(value, bool):
            words += [] if value else ["--no-" + flag[2:]]
        else:
            words += [flag, *(map(str, value) if isinstance(value, list) else [str(value)])]
    return " ".join(words)


def plain_settings(options: Mapping[str, Any], left_out: Collection[str]) -> dict[str, Any]:
    """Options as JSON holds them, without those that do not decide the result."""
    plain: dict[str, Any] = {}
    for name, value in options.items():
        if name in left_out:
            continue
        if isinstance(value, tuple):
            plain[name] = [str(item) if isinstance(item, Path) else item for item in value]
        else:
            plain[name] = str(value) if isinstance(value, Path) else value
    return plain


def _identity_of(folder: Path) -> dict[str, Any] | None:
    try:
        return json.loads((folder / IDENTITY_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None

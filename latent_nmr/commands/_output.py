"""Where a command writes, and what it does when something is there already: one policy for all.

A result is a folder, one file, or files that differ in their suffixes only, as those of a figure.
Its manifest, `run.json` in the folder or `NAME.run.json` beside the files, holds the command that
makes it again, its settings, digests of its inputs, the files written and the values reported. Run
again with equal settings and inputs, a command reports the finished result; with others it
refuses, unless --force is given. No folder is replaced that holds anything that no run of the same
command wrote, and no input of the run; nothing half-written has the name of the result.
"""

import contextlib
import hashlib
import json
import shlex
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from latent_nmr._files import (
    put_in_place,
    sole_writer,
    staged_file,
    sweep_staging,
    write_json,
)
from latent_nmr._letters import path_text
from latent_nmr.commands._settings import command_of, settings_of
from latent_nmr.commands._shell import Report
from latent_nmr.errors import InputError
from latent_nmr.shipped import REFERENCE, shipped_names

MANIFEST = "run.json"

Inputs = Mapping[Path, Callable[[Path], str]]


class _DamagedManifestError(InputError):
    """A manifest that cannot be read."""


class Output:
    """The output of one run of a command.

    Parameters
    ----------
    command : str
    options : dataclass instance
        Options of the command; `force` among them.
    out : Path
        Folder or file to write.
    positional : collection of str
        Options that are given without a flag.
    is_file : bool
        Whether `out` is one file; a folder otherwise.
    suffixes : sequence of str
        Of the files of a result that is several, each `out` with one of them; `out` may be given
        with one.

    Attributes
    ----------
    out : Path
        Folder, file, or what the names of the files begin with.
    targets : list of Path
        The folder, or the files.
    """

    def __init__(
        self,
        command: str,
        options: Any,
        out: Path,
        *,
        positional: Collection[str] = ("data",),
        is_file: bool = False,
        suffixes: Sequence[str] = (),
    ):
        out = out.with_suffix("") if out.suffix in suffixes else Path(out)
        self.out, self.is_file, self._force = out, is_file or bool(suffixes), bool(options.force)
        self.targets = [out.with_name(out.name + suffix) for suffix in suffixes] or [out]
        self.settings = settings_of(options)
        self.name = command
        self.command = command_of(command, options, positional)

    @property
    def manifest(self) -> Path:
        """Where the manifest is kept."""
        if self.is_file:
            return self.out.with_name(f"{self.out.name}.{MANIFEST}")
        return self.out / MANIFEST

    def finished(self, inputs: Inputs) -> tuple[dict[str, Any], str] | None:
        """Values and a remark of an equal run that is there; None if `out` may be written.

        Parameters
        ----------
        inputs : mapping of callables
            Paths that the result is made from, and what gives the digest of each.

        Raises
        ------
        InputError
            If `out` holds anything that must not be replaced, or is one of the inputs.
        """
        self._refuse_inputs(inputs)
        taken = [path for path in self.targets if _is_taken(path)]
        if not taken:
            return None
        if not self.is_file and not self.manifest.is_file():
            raise InputError(
                f"--out must be a new folder or an earlier run, but {self.out} holds something "
                "else. Choose another."
            )
        if self._force:
            self._refuse_foreign_files()
            return None
        if not self.manifest.is_file():
            raise InputError(
                f"--out must be a new path, but {taken[0]} exists. Choose another, or use --force "
                "to replace it."
            )
        earlier = self._read_manifest()
        self._refuse_other_settings(earlier["settings"])
        gone = self._refuse_other_inputs(earlier["inputs"], inputs)
        if len(taken) < len(self.targets):
            return None
        remark = f"its input {gone} is gone; " if gone else ""
        return earlier, f"{self.out} is already finished ({remark}use --force to recompute)."

    @contextlib.contextmanager
    def folder(self, kept: Collection[str] = ()) -> Iterator[Path]:
        """Yield the folder to work in; it takes the place of `out` when the block ends well.

        A killed run leaves it, and the same command goes on in it: with the entries named in
        `kept`, which it must know to be of the same data and settings. The rest is made again.
        Entries of that name in an earlier result are made use of, too.
        """
        with sole_writer(self.out):
            place = self.out.resolve()
            sweep_staging(place)
            work = place.with_name(f".{place.name}.progress")
            if work.is_dir():
                for entry in [entry for entry in work.iterdir() if entry.name not in kept]:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            else:
                work.mkdir(parents=True)
                for name in kept:
                    if (place / name).exists():
                        copy = shutil.copytree if (place / name).is_dir() else shutil.copyfile
                        copy(place / name, work / name)
            try:
                yield work
            except BaseException:
                if not any(work.iterdir()):
                    work.rmdir()  # nothing to continue from, as after a bad parameter
                raise
            put_in_place(work, place)

    @contextlib.contextmanager
    def file(self) -> Iterator[Path]:
        """Yield a temporary path that is renamed to `out` when the block ends well."""
        with sole_writer(self.out), staged_file(self.out) as staging:
            yield staging

    @contextlib.contextmanager
    def files(self) -> Iterator[Path]:
        """Yield a temporary folder; its files take the names of the targets of equal suffix."""
        with sole_writer(self.out), tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch)
            made = {path.suffix: path for path in Path(scratch).iterdir()}
            for target in self.targets:
                with staged_file(target) as staging:
                    staging.write_bytes(made[target.suffix].read_bytes())

    def keep_figure(self, draw: Callable[[], Any], inputs: Inputs) -> Report:
        """Save the only one of the figures that `draw` gives, unless an equal run has."""
        written: dict[str, Any] = {"out": self.targets}
        finished = self.finished(inputs)
        if finished is not None:
            return Report([finished[1]], finished[0] | written)
        with self.files() as scratch:
            draw().save(scratch, [target.suffix for target in self.targets])
        manifest = self.write_manifest({}, {path: digest(path) for path, digest in inputs.items()})
        return Report([f"wrote {' and '.join(map(str, written['out']))}"], manifest | written)

    def keep_json(self, values: Mapping[str, Any], inputs: Inputs) -> str:
        """Write `values` to the file, unless an equal run has; returns a line that says so."""
        finished = self.finished(inputs)
        if finished is not None:
            return finished[1]
        with self.file() as staging:
            write_json(staging, values)
        self.write_manifest({}, {path: digest(path) for path, digest in inputs.items()})
        return f"{self.out}: the same as JSON"

    def write_manifest(
        self, values: Mapping[str, Any], inputs: Mapping[Path, str], folder: Path | None = None
    ) -> dict[str, Any]:
        """Write the manifest and return its content.

        Parameters
        ----------
        values : mapping
            What the command reports, as JSON holds it.
        inputs : mapping of str
            Digest of each path that the result was made from.
        folder : Path, optional
            Where the files are now; without it, beside a file.
        """
        if folder is None:
            files = [path_text(path.name) for path in self.targets]
        else:
            entries = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            files = [path_text(path.relative_to(folder).as_posix()) for path in entries]
        content = {
            "command": self.command,
            "settings": self.settings,
            "inputs": {path_text(path): digest for path, digest in inputs.items()},
            "files": files,
            **values,
        }
        write_json(self.manifest if folder is None else folder / MANIFEST, content)
        return content

    def _read_manifest(self) -> dict[str, Any]:
        try:
            found = json.loads(self.manifest.read_text("utf-8"))
            kinds = {"command": str, "settings": dict, "inputs": dict, "files": list}
            for name, kind in kinds.items():
                if not isinstance(found[name], kind):
                    raise TypeError(name)
            made_by = shlex.split(found["command"])[1]
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise _DamagedManifestError(
                f"--out must be a new path or a whole run, but {self.manifest} is damaged "
                f"({type(error).__name__}). Use --force to recompute, or choose another --out."
            ) from error
        if made_by != self.name:
            raise InputError(
                f"--out must be a new path or an earlier run of {self.name}, but {self.out} was "
                f"made by latent-nmr {made_by}. Choose another --out."
            )
        return found

    def _refuse_inputs(self, inputs: Inputs) -> None:
        """Raise if the result would take the place of what it is made from."""
        for path in inputs:
            place = path.resolve()
            for target in (*self.targets, self.manifest):
                own = target.resolve()
                if place == own or (not self.is_file and own in place.parents):
                    raise InputError(
                        f"--out must not hold an input of the run, but {path} is at {target}. "
                        "Choose another --out."
                    )

    def _refuse_other_settings(self, earlier: Mapping[str, Any]) -> None:
        for name, value in self.settings.items():
            if name not in earlier or earlier[name] != value:
                raise InputError(
                    f"--out must not hold a run with other settings, but {self.out} has {name} = "
                    f"{earlier.get(name)!r} and {value!r} is asked for. Choose another --out, or "
                    "use --force to replace it."
                )

    def _refuse_other_inputs(self, earlier: Mapping[str, str], inputs: Inputs) -> str:
        """Compare digests; returns the name of an input that is gone."""
        for path, digest in inputs.items():
            if not (path.exists() or path_text(path) in (*shipped_names("models"), REFERENCE)):
                return path_text(path)
            if earlier.get(path_text(path)) != digest(path):
                raise InputError(
                    f"--out must not hold a run on other data, but {path} has changed since "
                    f"{self.out} was made. Choose another --out, or use --force to replace it."
                )
        return ""

    def _refuse_foreign_files(self) -> None:
        """Raise if a folder holds anything that no run of this command wrote."""
        if self.is_file:
            return
        try:
            own = {*self._read_manifest()["files"], MANIFEST}
        except _DamagedManifestError:
            own = {MANIFEST, *_by_name(self.out)}  # of a damaged manifest, only the rest is foreign
        for path in sorted(self.out.rglob("*")):
            if path.is_file() and path_text(path.relative_to(self.out).as_posix()) not in own:
                raise InputError(
                    f"--force must remove nothing but a run's own files, but {self.out} also holds "
                    f"{path.relative_to(self.out)}. Move it away, or choose another --out."
                )


def _is_taken(path: Path) -> bool:
    """Whether there is anything at `path`; an empty folder is nothing."""
    return path.exists() and not (path.is_dir() and not any(path.iterdir()))


def _by_name(folder: Path) -> Iterator[str]:
    """Files of the kinds that runs write."""
    for path in folder.rglob("*"):
        if path.suffix in (".png", ".csv", ".json", ".npz", ".html", ".safetensors"):
            yield path_text(path.relative_to(folder).as_posix())


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()

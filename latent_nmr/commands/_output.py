"""Where a command writes, and what it does when something is there already: one policy for all.

A result is a folder or a file. Its manifest, `run.json` in the folder or `NAME.run.json` beside the
file (NAME with its suffix), holds the command that makes it again, its settings, digests of its
inputs and of the files written, and the values reported. Run again with equal settings and inputs,
a command reports the finished result, and makes it again if any file of it is gone; with others,
or if a file is no longer what was written, it refuses, unless --force is given. No folder is
replaced that holds anything that no run of the same command wrote, and no input of the run;
nothing half-written has the name of the result.
"""

import contextlib
import json
import shlex
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from latent_nmr._files import (
    file_digest,
    put_in_place,
    sole_writer,
    staged_file,
    sweep_staging,
    write_json,
)
from latent_nmr._letters import path_text
from latent_nmr._locks import real_path
from latent_nmr._regular import regular
from latent_nmr.commands._settings import command_of, defaults_of, plain, settings_of
from latent_nmr.commands._shell import Report, tell
from latent_nmr.errors import InputError
from latent_nmr.report.kept_results import shared_manifest
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
        Whether `out` is a file; a folder otherwise.
    """

    def __init__(
        self,
        command: str,
        options: Any,
        out: Path,
        *,
        positional: Collection[str] = ("data",),
        is_file: bool = False,
    ):
        self.out, self.is_file, self._force = Path(out), is_file, bool(options.force)
        self.settings, self._defaults = settings_of(options), defaults_of(options)
        self.name = command
        self.command = command_of(command, options, positional)

    def settle(self, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        """Say what options stand for that were not given, and in runs of earlier versions."""
        for own, known in ((self.settings, values), (self._defaults, defaults)):
            own |= {name: plain(known[name]) for name in own.keys() & known if own[name] is None}

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
        if self.is_file and self.out.is_dir():
            raise InputError(f"--out must be a file, but {self.out} is a folder. Name one in it.")
        if not _is_taken(self.out):
            return None
        if not self.is_file and not self.manifest.is_file():
            raise InputError(
                f"--out must be a new folder or an earlier run, but {self.out} holds something "
                "else. Choose another."
            )
        if self._force:
            return None
        shared = shared_manifest(self.out, MANIFEST) if self.is_file else None
        if not self.manifest.is_file() and shared is None:
            raise InputError(
                f"--out must be a new path, but {self.out} exists. Choose another, or use --force "
                "to replace it."
            )
        earlier = self._read_manifest(None if self.manifest.is_file() else shared)
        self._refuse_other_settings(earlier["settings"])
        gone = self._refuse_other_inputs(earlier["inputs"], inputs)
        missing = self._missing_files(earlier)
        if missing:
            tell(f"{self.out} lacks {', '.join(missing)} of the finished run: made again")
            return None
        remark = f"its input {', '.join(gone)} is gone; " if gone else ""
        return earlier, f"{self.out} is already finished ({remark}use --force to recompute)."

    @contextlib.contextmanager
    def folder(self, kept: Collection[str] = ()) -> Iterator[Path]:
        """Yield the folder to work in; it takes the place of `out` when the block ends well.

        A killed run leaves it, and the same command goes on in it: with the entries named in
        `kept`, which it must know to be of the same data and settings. The rest is made again.
        Entries of that name in an earlier result are made use of, too.

        Raises
        ------
        InputError
            If `out` holds anything that no run of this command wrote.
        """
        with sole_writer(self.out):
            if _is_taken(self.out):
                self._refuse_foreign_files()
            place = real_path(self.out)
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

    def keep_figure(self, draw: Callable[[], Any], inputs: Inputs) -> Report:
        """Save the only one of the figures that `draw` gives, unless an equal run has."""
        finished = self.finished(inputs)
        if finished is not None:
            return Report([finished[1]], finished[0] | {"out": self.out})
        figures = draw()
        with self.file() as staging, tempfile.TemporaryDirectory() as scratch:
            (drawn,) = figures.save(scratch, [self.out.suffix])
            staging.write_bytes(drawn.read_bytes())
        manifest = self.write_manifest({}, {path: digest(path) for path, digest in inputs.items()})
        return Report([f"wrote {self.out}"], manifest | {"out": self.out})

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
        files = {path_text(self.out.name): self.out} if folder is None else _files_in(folder)
        content = {
            "command": self.command,
            "settings": self.settings,
            "inputs": {path_text(path): digest for path, digest in inputs.items()},
            "files": list(files),
            "digests": {name: file_digest(path) for name, path in files.items()},
            **values,
        }
        write_json(self.manifest if folder is None else folder / MANIFEST, content)
        return content

    def _read_manifest(self, given: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            known = given or json.loads(regular(self.manifest).read_text("utf-8"))
            found: dict[str, Any] = {"digests": {}} | known  # early: none
            dicts = dict.fromkeys(("settings", "inputs", "digests"), dict)
            for name, kind in {"command": str, "files": list, **dicts}.items():
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
            place = real_path(path)
            for target in (self.out, self.manifest):
                own = real_path(target)
                if place == own or (not self.is_file and own in place.parents):
                    raise InputError(
                        f"--out must not hold an input of the run, but {path} is at {target}. "
                        "Choose another --out."
                    )

    def _refuse_other_settings(self, earlier: Mapping[str, Any]) -> None:
        # A run of an earlier version, which lacked an option, was as if it had its default.
        known = self._defaults | dict(earlier)
        for name, value in self.settings.items():
            if name not in known or known[name] != value:
                raise InputError(
                    f"--out must not hold a run with other settings, but {self.out} has {name} = "
                    f"{known.get(name)!r} and {value!r} is asked for. Choose another --out, or "
                    "use --force to replace it."
                )

    def _refuse_other_inputs(self, earlier: Mapping[str, str], inputs: Inputs) -> list[str]:
        """Compare digests; returns the names of the inputs that are gone."""
        shipped = (*shipped_names("models"), REFERENCE)
        names = [path_text(path) for path in inputs]
        gone = [name for name in earlier if name not in names]
        for name, (path, digest) in zip(names, inputs.items(), strict=True):
            if not path.exists() and name not in shipped:
                gone.append(name)
            elif earlier.get(name) != digest(path):
                raise InputError(
                    f"--out must not hold a run on other data, but {path} has changed since "
                    f"{self.out} was made. Choose another --out, or use --force to replace it."
                )
        return gone

    def _missing_files(self, earlier: Mapping[str, Any]) -> list[str]:
        """Names of files of the run that are gone; raises for one that holds something else."""
        # A file may have been renamed together with its manifest.
        found = dict.fromkeys(earlier["files"], self.out) if self.is_file else _files_in(self.out)
        for name, digest in earlier["digests"].items():
            if name in found and file_digest(found[name]) != digest:
                raise InputError(
                    f"--out must be a new path or a whole run, but {found[name]} is no longer "
                    "what the run wrote. Choose another --out, or use --force to replace it."
                )
        return [name for name in earlier["files"] if name not in found]

    def _refuse_foreign_files(self) -> None:
        """Raise if a folder holds anything that no run of this command wrote."""
        try:
            own = {*self._read_manifest()["files"], MANIFEST}
        except _DamagedManifestError:
            # Of a damaged manifest, only what is of no kind that runs write is foreign.
            kinds = (".png", ".csv", ".json", ".npz", ".html", ".safetensors")
            own = {MANIFEST, *(name for name in _files_in(self.out) if name.endswith(kinds))}
        for name in _files_in(self.out):
            if name not in own:
                raise InputError(
                    f"a run must replace nothing but an earlier run's own files, but {self.out} "
                    f"also holds {name}. Move it away, or choose another --out."
                )


def _is_taken(path: Path) -> bool:
    """Whether there is anything at `path`; an empty folder is nothing."""
    return path.exists() and not (path.is_dir() and not any(path.iterdir()))


def written_line(out: Path, files: Collection[str]) -> str:
    """Say what a folder holds: its files, and the folders in it."""
    return f"written    {out}/: {', '.join(dict.fromkeys(name.split('/')[0] for name in files))}"


def _files_in(folder: Path) -> dict[str, Path]:
    """Files in a folder and below, by the name that a manifest gives them."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path_text(path.relative_to(folder).as_posix()): path for path in found}

"""Errors that the environment causes, not the input and not the code: told in one line.

Settings that a library cannot use (``JAX_PLATFORMS=cuda`` without such a device), a library that
cannot be loaded, and limits of the machine. Each library has errors of its own for them.
"""

import errno
import os
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from latent_nmr._locks import directory_fault
from latent_nmr.errors import InputError

# What the variables of libraries in use begin with.
PREFIXES = (
    *("JAX_", "XLA_", "TPU_", "CUDA_", "MPL", "NUMBA_", "OMP_", "OPENBLAS_", "MKL_"),
    *("LOKY_", "JOBLIB_", "SKLEARN_", "SCIPY_", "NUMEXPR_", "ZARR_", "PYARROW_", "ARROW_"),
)
# What XLA says, and the loader of libraries, where memory does not suffice.
_NO_MEMORY = ("RESOURCE_EXHAUSTED", "failed to map segment", "annot allocate memory")
PACKAGE = str(Path(__file__).parent)


def environment_fault(error: BaseException) -> str:
    """Why the environment is at fault for an error; "" if it is not."""
    text = _one_line(error)
    if isinstance(error, Warning) and sys.warnoptions:
        asked = ",".join(sys.warnoptions)
        return f"warnings must not end the work, but are set to {asked!r}: {text}. Unset that."
    if isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY):
        return f"memory must suffice, but: {text}. Use fewer curves, or a machine with more memory."
    if "can't start new thread" in text:
        return f"the system must allow more threads, but: {text}. Raise its limit (ulimit -u)."
    foreign = _foreign_modules(error.__traceback__)
    if not foreign and not isinstance(error, ImportError):
        return ""
    return (
        _fault_of_setting(text) or _fault_of_devices(foreign) or _fault_of_library(error, foreign)
    )


def system_fault(error: OSError) -> str:
    """Why a file, or the system that holds it, is at fault."""
    text = error.strerror or str(error)
    if error.errno == errno.ENOENT and error.filename is None and (fault := directory_fault()):
        return fault
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"the system must allow more open files, but: {text}. Raise its limit (ulimit -n)."
    if error.errno in (errno.ENOMEM, errno.EAGAIN):
        return f"memory and processes must suffice, but: {text}. Use a machine with more of them."
    if "temporary directory" in text:
        return f"a folder must be there for temporary files, but: {text}. Set TMPDIR to one."
    if error.errno == errno.EFBIG:
        name = error.filename or "a file"
        return (
            f"the system must allow files as large as {name}, but: {text}. Raise its limit "
            "(ulimit -f), or choose another path."
        )
    cure = "Choose another path."
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        cure = "Free space, or choose another path."
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        cure = "Change its permissions, or choose another path."
    return f"{error.filename or 'a file'} must be readable and writable, but: {text}. {cure}"


def cache_fault(warning: str) -> str:
    """What a warning of JAX that its cache cannot be used is about; "" for any other."""
    if not re.match("Error (reading|writing) persistent compilation cache", warning):
        return ""
    folder = os.environ.get("JAX_COMPILATION_CACHE_DIR", "")
    reason = warning.rpartition(": ")[2].strip(" .\n")
    return (
        "JAX_COMPILATION_CACHE_DIR should be a folder that can be read and written, but is "
        f"{folder!r} ({reason}). Work goes on without it. Correct or unset it."
    )


def settings_hint(prefix: str) -> str:
    """Variables of a library, whose errors do not name them, that may be at fault instead."""
    found = [f"{name}={value}" for name, value in sorted(os.environ.items()) if value]
    found = [setting for setting in found if setting.startswith(prefix)]
    return f" Before that, unset {', '.join(found)} and try again." if found else ""


def refuse_environment(error: BaseException) -> None:
    """Raise `InputError` if a setting that a library cannot use, or its loading, is the cause."""
    foreign = _foreign_modules(error.__traceback__)
    fault = foreign and (_fault_of_setting(_one_line(error)) or _fault_of_devices(foreign))
    if not fault and isinstance(error, ImportError):
        fault = _fault_of_library(error, foreign)
    if fault:
        raise InputError(fault) from error


def check_devices() -> None:
    """Raise `InputError` if JAX has no device to compute on, such as a GPU that was asked for."""
    import jax

    try:
        jax.devices()
    except Exception as error:  # JAX has another kind, a failed assertion among them, for each way
        raise InputError(_no_device(error)) from error


def check_compiler_flags() -> None:
    """Raise `InputError` for ``XLA_FLAGS`` that the compiler does not know.

    It ends the process when it reads them, with a page of text: so another process reads them.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if flags and sys.executable and (fault := _fault_of_flags(flags)):
        raise InputError(fault)


@lru_cache
def _fault_of_flags(flags: str) -> str:
    code = "from jaxlib import xla_client; xla_client.CompileOptions()"
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    found = re.search(r"^[EF]\d{4} .*?\] (.*)$", finished.stderr.decode(errors="replace"), re.M)
    if finished.returncode and found:
        return _wrong_setting("XLA_FLAGS", flags, found[1].rstrip("."))
    return ""


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _foreign_modules(traceback: TracebackType | None) -> list[tuple[str, bool]]:
    """Modules of other packages that an error passed after the last of ours, outermost first.

    With each, whether it was being loaded.
    """
    found: list[tuple[str, bool]] = []
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_filename.startswith(PACKAGE):
            found = []
        else:
            name = frame.f_globals.get("__name__", "")
            found.append((name.partition(".")[0], frame.f_code.co_name == "<module>"))
        traceback = traceback.tb_next
    return found


def _fault_of_setting(text: str) -> str:
    """Why an environment variable is at fault: the error has its name, or its value in quotes."""
    for name, value in sorted(os.environ.items()):
        if name.startswith(PREFIXES) and value:
            is_named = re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)
            if is_named or f"{value!r}" in text or f'"{value}"' in text:
                return _wrong_setting(name, value, text)
    return ""


def _fault_of_devices(foreign: list[tuple[str, bool]]) -> str:
    """Why JAX has no device to compute on; "" if it has one, or the error is not its own."""
    jax = sys.modules.get("jax")
    if (
        jax is None
        or not hasattr(jax, "devices")
        or not any(name.startswith("jax") for name, _ in foreign)
    ):
        return ""
    try:
        jax.devices()
    except Exception as error:
        return _no_device(error)
    return ""


def _no_device(error: Exception) -> str:
    text = _one_line(error) if str(error) else "JAX finds no such device"
    for name in ("JAX_PLATFORMS", "JAX_PLATFORM_NAME"):
        if os.environ.get(name):
            return _wrong_setting(name, os.environ[name], text)
    return f"JAX must find a device to compute on, but: {text}. Check how it is installed and set."


def _fault_of_library(error: BaseException, foreign: list[tuple[str, bool]]) -> str:
    """Why a library cannot be loaded; "" if the error is no such."""
    loading = [name for name, is_loading in foreign if is_loading and name != "__main__"]
    missing = (error.name or "") if isinstance(error, ImportError) else ""
    library = loading[0] if loading else missing.partition(".")[0]
    if not library or library == __package__:
        return ""
    return f"{library} must be loadable, but: {_one_line(error)}. Check its installation."


def _wrong_setting(name: str, value: str, text: str) -> str:
    return (
        f"the environment variable {name} must be one that works here, but is {value!r} "
        f"({text}). Correct or unset it."
    )

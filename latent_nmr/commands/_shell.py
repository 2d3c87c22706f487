"""What all commands share: parse, run, report, and end with the right exit code."""

import contextlib
import io
import json
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

from latent_nmr._environment import check_compiler_flags, environment_fault, system_fault
from latent_nmr._interrupts import remembered_interrupts
from latent_nmr._letters import path_text
from latent_nmr.errors import InputError, NumericalError

SUCCESS, BAD_INPUT, NUMERICAL_FAILURE, SOME_REFUSED, INTERRUPTED = 0, 2, 3, 4, 130
COMPILING_NOTHING = ("card", "check-submission")

Options = TypeVar("Options")

# Positional arguments by what they are: --help would call both PATH.
ModelPath = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="MODEL")]
DataPath = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DATA")]


@dataclass(frozen=True)
class Report:
    """What a command reports: lines for people, values for `--json`, and its exit code."""

    lines: list[str]
    values: dict[str, Any] = field(default_factory=dict)
    exit_code: int = SUCCESS


def execute(
    name: str, options_type: type[Options], run: Callable[[Options], Report], argv: list[str]
) -> int:
    """Parse `argv`, run the command, print its report and return the exit code."""
    try:
        options = parse(name, options_type, argv)
        if options is None:  # --help is printed
            return SUCCESS
        if name not in COMPILING_NOTHING:
            check_compiler_flags()
        with remembered_interrupts(signal.SIGINT, signal.SIGTERM), _told_warnings(name):
            report = run(options)
    except InputError as error:
        return _complain(name, error, BAD_INPUT)
    except NumericalError as error:
        return _complain(name, error, NUMERICAL_FAILURE)
    except OSError as error:
        return _complain(name, system_fault(error), BAD_INPUT)
    except KeyboardInterrupt:
        return _complain(
            name, "interrupted; finished work is kept, the same command continues.", INTERRUPTED
        )
    except Exception as error:
        fault = environment_fault(error)
        if not fault:
            raise
        return _complain(name, fault, BAD_INPUT)
    as_json = getattr(options, "json", False)
    print(_json(report.values) if as_json else "\n".join(report.lines), flush=True)
    return report.exit_code


def parse(name: str, options_type: type[Options], argv: list[str]) -> Options | None:
    """Read the command line; None if it asks for help, which is printed.

    A malformed one raises `InputError` with one line of text.
    """
    captured = io.StringIO()
    try:
        with contextlib.redirect_stderr(captured):
            return tyro.cli(options_type, args=argv, prog=f"latent-nmr {name}")
    except SystemExit as exit_request:
        if not exit_request.code:
            return None
        raise InputError(_one_line(captured.getvalue(), name)) from None


def tell(text: str) -> None:
    """Print a message while the command works, to stderr: stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _told_warnings(name: str) -> Iterator[None]:
    """Print the package's own warnings as one line each, without a place in its source."""
    shown, told = warnings.showwarning, set()

    def show(message, category, *place, **more):
        if category.__module__ != InputError.__module__:
            shown(message, category, *place, **more)
        elif str(message) not in told:  # once per command, however often it is read
            told.add(str(message))
            tell(f"latent-nmr {name}: warning: {' '.join(str(message).split())}")

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = shown


def _json(values: dict[str, Any]) -> str:
    """One line of JSON; letters that standard output lacks are escaped, not replaced."""
    text = json.dumps(values, ensure_ascii=False, default=path_text)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(values, default=path_text)
    return text


def _complain(name: str, error: object, code: int) -> int:
    tell(f"latent-nmr {name}: {' '.join(str(error).split())}")
    return code


def _one_line(framed: str, name: str) -> str:
    """Shrink the parser's framed text to its first paragraph and its suggestion."""
    # The first row is a title; whether there is a frame depends on the terminal's encoding.
    rows = [row.strip(" │") for row in framed.splitlines()[1:]]
    paragraphs = [list(group) for is_text, group in groupby(rows, _is_text) if is_text]
    statement = " ".join(paragraphs[0]) if paragraphs else "the options cannot be read"
    suggestion = ""
    if "Perhaps you meant:" in rows:
        near = rows[rows.index("Perhaps you meant:") + 1]
        suggestion = f" Did you mean {re.split('[ ,]', near)[0]}?"
    return f"{statement.rstrip('.')}.{suggestion} See latent-nmr {name} --help."


def _is_text(row: str) -> bool:
    """Whether a row says something, and is not part of a frame."""
    return bool(row.strip("─-╰╯ "))

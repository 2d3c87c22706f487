"""What all commands share: parse, run, report, and end with the right exit code."""

import contextlib
import io
import json
import os
import re
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

from latent_nmr._environment import (
    cache_fault,
    check_compiler_flags,
    environment_fault,
    system_fault,
)
from latent_nmr._files import plain_json
from latent_nmr._interrupts import remembered_interrupts
from latent_nmr.errors import InputError, NumericalError, ProtocolsError, RepeatsError
from latent_nmr.report.cures import in_option_words

SUCCESS, BAD_INPUT, NUMERICAL_FAILURE, SOME_REFUSED, INTERRUPTED = 0, 2, 3, 4, 130
LEAST_WIDTH = 40
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

    def work() -> int:
        options = parse(name, options_type, argv)
        if options is None:  # --help is printed
            return SUCCESS
        if name not in COMPILING_NOTHING:
            check_compiler_flags()
        try:
            report = run(options)
        except (ProtocolsError, RepeatsError) as error:
            raise InputError(in_option_words(error, options)) from error
        as_json = getattr(options, "json", False)
        print(_json(report.values) if as_json else "\n".join(report.lines), flush=True)
        return report.exit_code

    return attempt(f"latent-nmr {name}", work)


def attempt(title: str, work: Callable[[], int]) -> int:
    """Do what gives an exit code; what ends it early is told in one line that begins with a title.

    An error that is neither the input's nor the environment's is a bug, and raised.
    """
    try:
        with remembered_interrupts(signal.SIGINT, signal.SIGTERM), _told_warnings(title):
            return work()
    except InputError as error:
        return _complain(title, error, BAD_INPUT)
    except NumericalError as error:
        return _complain(title, error, NUMERICAL_FAILURE)
    except OSError as error:
        return _complain(title, system_fault(error), BAD_INPUT)
    except KeyboardInterrupt:
        return _complain(
            title, "interrupted; finished work is kept, the same command continues.", INTERRUPTED
        )
    except Exception as error:
        fault = environment_fault(error)
        if not fault:
            raise
        return _complain(title, fault, BAD_INPUT)


def parse(name: str, options_type: type[Options], argv: list[str]) -> Options | None:
    """Read the command line; None if it asks for help, which is printed.

    A malformed one raises `InputError` with one line of text.
    """
    captured = io.StringIO()
    try:
        with contextlib.redirect_stderr(captured), _wide_enough():
            return tyro.cli(options_type, args=argv, prog=f"latent-nmr {name}")
    except SystemExit as exit_request:
        if not exit_request.code:
            return None
        raise InputError(_one_line(captured.getvalue(), name)) from None


def tell(text: str) -> None:
    """Print a message while the command works, to stderr: stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _wide_enough() -> Iterator[None]:
    """Have the parser believe that the terminal is wide enough for its texts.

    It tries for ever to put them into fewer columns than their margins take.
    """
    before = os.environ.get("COLUMNS")
    width = shutil.get_terminal_size().columns
    os.environ["COLUMNS"] = str(max(width, LEAST_WIDTH))
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before


@contextlib.contextmanager
def _told_warnings(title: str) -> Iterator[None]:
    """Print the package's own warnings as one line each, without a place in its source."""
    shown, told = warnings.showwarning, set()

    def show(message, category, *place, **more):
        text = cache_fault(str(message)) or str(message)
        if category.__module__ != InputError.__module__ and text == str(message):
            shown(message, category, *place, **more)
        elif text not in told:  # once per command, however often it is read
            told.add(text)
            tell(f"{title}: warning: {' '.join(text.split())}")

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = shown


def _json(values: dict[str, Any]) -> str:
    """One line of JSON; letters that standard output lacks are escaped, not replaced."""
    plain = plain_json(values)
    text = json.dumps(plain, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(plain)
    return text


def _complain(title: str, error: object, code: int) -> int:
    tell(f"{title}: {' '.join(str(error).split())}")
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

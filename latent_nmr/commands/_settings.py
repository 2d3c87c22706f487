"""Options of a command as settings of its result, and as the command that makes it again."""

import shlex
from collections.abc import Collection
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from latent_nmr._letters import path_text

# Options that change where and how results appear, not what they are.
NOT_SETTINGS = ("out", "force", "json")


def features_name(options: Any) -> str:
    """What the default of --out calls the features: the window, and the part if it is not |M|."""
    return options.window if options.part == "magnitude" else f"{options.window}-{options.part}"


def settings_of(options: Any) -> dict[str, Any]:
    """Options that decide the result, as JSON holds them."""
    return {
        field.name: plain(getattr(options, field.name))
        for field in fields(options)
        if field.name not in NOT_SETTINGS
    }


def defaults_of(options: Any) -> dict[str, Any]:
    """Defaults of the options that have one, as JSON holds them."""
    found = {field.name: field.default for field in fields(options)}
    return {name: plain(value) for name, value in found.items() if value is not MISSING}


def command_of(command: str, options: Any, positional: Collection[str] = ("data",)) -> str:
    """The command line that makes a result again, quoted for a shell.

    Positional options come first, in the order of `positional`; an option that is None, or a
    switch at its default, is left out, as is where and how results appear.
    """
    words = ["latent-nmr", command]
    for name in positional:
        words += _words(getattr(options, name))
    for field in fields(options):
        value, flag = getattr(options, field.name), "--" + field.name.replace("_", "-")
        if field.name in positional or field.name in NOT_SETTINGS or value is None:
            continue
        if isinstance(value, bool):
            if value != field.default:
                words.append(flag if value else f"--no-{flag[2:]}")
        elif value != () or field.default is MISSING:
            words += [flag, *_words(value)]
    return shlex.join(words)


def _words(value: Any) -> list[str]:
    return [str(plain(item)) for item in (value if isinstance(value, tuple) else (value,))]


def plain(value: Any) -> Any:
    """A value of an option as JSON holds it."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return path_text(value) if isinstance(value, Path) else value

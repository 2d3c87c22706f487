"""What `--help` of every command says."""

import re
from dataclasses import fields
from importlib import import_module

import pytest

from latent_nmr.commands.main import COMMANDS, main


def positional_names(command):
    """Fields of a command's options that are given without a flag."""
    options = import_module(f"latent_nmr.commands.{command.replace('-', '_')}").Options
    return [field.name for field in fields(options) if "Positional" in str(field.type)]


@pytest.mark.parametrize("command", COMMANDS)
def test_positional_arguments_are_called_what_they_are(command, capsys):
    assert main([command, "--help"]) == 0
    said = capsys.readouterr().out
    usage = re.sub(r"\[.*?\]", "", said.partition("\n\n")[0].replace("\n", " ")).split()
    names = [name.upper() for name in positional_names(command)]
    assert usage == ["usage:", "latent-nmr", command, *names]
    section = said.partition("positional arguments")[2].partition("options")[0]
    assert re.findall(r"^. ([A-Z]+) ", section, re.MULTILINE) == names


def test_commands_that_take_a_model_and_data_take_them_in_this_order():
    found = {command: positional_names(command) for command in COMMANDS}
    assert found["embed"] == found["plot-latent"] == found["audit"] == ["model", "data"]
    assert found["simulate"] == []

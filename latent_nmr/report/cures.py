"""Remedies in the words of a command: its options, where the library names its parameters."""

from typing import Any

from latent_nmr.errors import InputError, ProtocolsError, RepeatsError


def in_option_words(error: InputError, options: Any) -> str:
    """What an error says, with what can be done about it by the options of the command."""
    if isinstance(error, ProtocolsError) and error.names and hasattr(options, "protocol"):
        # Of a data set beside one that has a single protocol, no option selects any.
        is_beside = getattr(options, "also", ()) and (error.is_one_of or len(error.names) == 1)
        if not is_beside:
            return f"{error.statement} {_selection(error)}"
    if isinstance(error, RepeatsError):
        return f"{error.statement} {_repeats(options)}"
    return str(error)


def _selection(error: ProtocolsError) -> str:
    names = " ".join(error.names)
    if error.is_one_of:
        return f"Pass --protocol with the one that has its pulses, of {', '.join(error.names)}."
    return f"Pass --protocol {names}."


def _repeats(options: Any) -> str:
    cure = "Give data with repeats, such as latent-nmr simulate --repeats 2 makes"
    if hasattr(options, "methods"):
        return f"{cure}, or leave these out of --methods."
    if getattr(options, "setting", "") == "repeats":
        return f"{cure}, or pass --setting thorough."
    return f"{cure}, or leave out --contrast and --likelihood repeats."

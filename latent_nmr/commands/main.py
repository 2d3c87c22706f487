"""`latent-nmr NAME …`: runs the command of that name with the rest of the command line."""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from latent_nmr._streams import finish_streams, prepare_streams
from latent_nmr.commands._shell import BAD_INPUT, INTERRUPTED, SUCCESS, attempt, execute, tell
from latent_nmr.errors import InputError, check_choice

COMMANDS = {
    "simulate": "simulate labelled spin echoes into a zarr store",
    "status": "say which curves of a store are finished, on their way or missing",
    "train-vae": "train a β-VAE, and write model, embedding and figures",
    "plot-latent": "plot the latent map of a data set, coloured by labels",
    "traverse": "plot the curves that a model generates along a latent axis",
    "explore": "write one HTML file on which one moves through a model's latent space",
    "audit": "compare the curves that a decoder generates with new simulations",
    "embed": "write the latent coordinates of a data set to a file",
    "measure": "place measured echoes in latent space: verdict, W, L and kernel with intervals",
    "infer": "say what an echo says of its material: couplings, W, L, kernel, probabilities",
    "design": "say which pulse angle to measure next, and what it will buy",
    "calibrate": "check posteriors on simulated curves: ranks, coverage, classes",
    "axes": "find the labels that each latent axis orders, and compare models of several seeds",
    "baselines": "plot the principal components and the clusters of a data set",
    "evaluate": "compare representations on held-out curves",
    "probe": "predict labels from points, polynomials, principal components and latent coordinates",
    "challenge": "fit and score the models of the ML4SCI challenge, and write a submission",
    "check-submission": "check a submission file of the challenge",
    "card": "describe a saved model without loading its weights",
    "export-decoder": "write a model's decoder as JSON, for programs in other languages",
}


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in ("-h", "--help"):
        print(usage())
        return SUCCESS if argv else BAD_INPUT
    if argv[0] == "--version":
        print(f"latent-nmr {version('latent-nmr')}")
        return SUCCESS
    name = argv[0].replace("_", "-")
    try:
        check_choice("the command", name, COMMANDS)
    except InputError as error:
        tell(f"latent-nmr: {error}")
        return BAD_INPUT
    module = import_module(f"latent_nmr.commands.{name.replace('-', '_')}")
    return execute(name, module.Options, module.run, argv[1:])


def usage() -> str:
    """Text of `latent-nmr --help`."""
    width = max(map(len, COMMANDS))
    rows = [f"  {name:<{width}}  {purpose}" for name, purpose in COMMANDS.items()]
    return "\n".join(
        [
            "usage: latent-nmr COMMAND …",
            "",
            *rows,
            "",
            "latent-nmr COMMAND --help lists its options; latent-nmr --version says which this is.",
            "Exit codes: 0 success, 2 bad input, 3 numerical failure, 4 some models failed or some "
            "of several inputs were refused, 130 interrupted.",
        ]
    )


def script(name: str) -> None:
    """Run one command with this process' arguments and exit, for the files in scripts/."""
    prepare_streams()
    leave(main([name, *sys.argv[1:]]))


def run_script(work: Callable[[], object]) -> NoReturn:
    """Run a script that is no command, and exit as a command does.

    No traceback for bad input, Ctrl-C, or an output that is closed, full or has no such letters.
    """

    def to_the_end() -> int:
        try:
            work()
        except SystemExit as end:  # of argparse, or of the script
            return end.code if isinstance(end.code, int) else SUCCESS
        return SUCCESS

    prepare_streams()
    leave(attempt(Path(sys.argv[0]).name, to_the_end))


def program() -> None:
    """Run `latent-nmr` with this process' arguments and exit."""
    prepare_streams()
    leave(main())


def leave(exit_code: int) -> NoReturn:
    """End the process; at once after Ctrl-C, when compiled programs may still be at work.

    Taking the interpreter down around them ends in a segmentation fault.
    """
    undelivered = finish_streams()
    if undelivered:
        tell(f"latent-nmr: {undelivered}")
        exit_code = exit_code or BAD_INPUT
    if exit_code == INTERRUPTED:
        os._exit(exit_code)
    sys.exit(exit_code)


if __name__ == "__main__":
    program()

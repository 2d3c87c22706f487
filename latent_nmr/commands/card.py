"""Describe a saved model without loading its weights."""

from dataclasses import dataclass
from pathlib import Path

from latent_nmr.commands._shell import ModelPath, Report


@dataclass(frozen=True)
class Options:
    """Describe a saved model without loading its weights.

    Parameters, layers, training, state of every latent axis, metadata, device, package versions.
    """

    model: ModelPath
    """Folder of a trained model, or the name of one of the package, such as echo."""
    out: Path | None = None
    """JSON file for the card; without it, none is written."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the card as one JSON object."""


def run(options: Options) -> Report:
    """Read the card and describe the model."""
    from latent_nmr.commands._output import Output
    from latent_nmr.models.card_summary import read_summary
    from latent_nmr.report.model_card import card_lines
    from latent_nmr.studies._identity import digest_of

    values = read_summary(options.model)
    lines = card_lines(values)
    if options.out is not None:
        output = Output("card", options, options.out, positional=("model",), is_file=True)
        lines.append(output.keep_json(values, {options.model: lambda _: digest_of(values)}))
    return Report(lines, values)

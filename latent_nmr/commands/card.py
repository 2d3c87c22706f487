"""Say what a saved model is, without loading its weights."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latent_nmr.commands._shell import Report


@dataclass(frozen=True)
class Options:
    """Say what a saved model is, without loading its weights.

    Parameters, layers, how training went, what every axis does, metadata, device, packages.
    """

    model: tyro.conf.Positional[Path]
    """Folder of a trained model, or the name of one that comes along, such as echo."""
    out: Path | None = None
    """File to write the card to as well, as JSON."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the card as one JSON object."""


def run(options: Options) -> Report:
    """Read the card and put it in words."""
    from latent_nmr._files import write_json
    from latent_nmr.commands._output import refuse_overwriting
    from latent_nmr.models.card_words import summary, summary_lines
    from latent_nmr.models.persistence import read_card
    from latent_nmr.models.regression_files import describe, is_regressor

    if options.out is not None:
        refuse_overwriting([options.out], options.force)
    if is_regressor(options.model):
        lines, values = describe(options.model)
    else:
        card = read_card(options.model)
        lines, values = summary_lines(card), summary(card)
    if options.out is not None:
        write_json(options.out, values)
        lines.append(f"{options.out}: the same as JSON")
    return Report(lines, values)

"""Write a model's decoder as JSON, for programs in other languages."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latent_nmr.commands._shell import Report


@dataclass(frozen=True)
class Options:
    """Write a model's decoder as JSON, for programs in other languages.

    Layer sizes, activations, weights as base64 of little-endian float32, time grid. A reader in
    plain JavaScript is docs/decoder.mjs.
    """

    model: tyro.conf.Positional[Path]
    """Folder of a trained model, or the name of one that comes along, such as echo."""
    out: Path = Path("decoder.json")
    """File to write."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Load the model and write its decoder."""
    from latent_nmr.commands._output import refuse_overwriting
    from latent_nmr.models.beta_vae import BetaVAE
    from latent_nmr.models.decoder_json import save_decoder

    refuse_overwriting([options.out], options.force)
    model = BetaVAE.load(options.model)
    save_decoder(model, options.out)
    sizes, n_bytes = model.architecture_, options.out.stat().st_size
    return Report(
        [
            f"{options.out}: decoder of {sizes.n_components} latent axes to {sizes.n_features} "
            f"values, {n_bytes / 1e3:.0f} kB"
        ],
        {
            "out": str(options.out),
            "n_components": sizes.n_components,
            "n_features": sizes.n_features,
            "n_bytes": n_bytes,
        },
    )

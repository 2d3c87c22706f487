"""Write a model's decoder as JSON, for programs in other languages."""

from dataclasses import dataclass
from pathlib import Path

from latent_nmr.commands._shell import ModelPath, Report


@dataclass(frozen=True)
class Options:
    """Write a model's decoder as JSON, for programs in other languages.

    Layer sizes, activations, weights as base64 of little-endian float32, time grid. A reader in
    plain JavaScript comes with the package, as report/explorer/decoder.mjs.
    """

    model: ModelPath
    """Folder of a trained model, or the name of one of the package, such as echo."""
    out: Path = Path("decoder.json")
    """File to write."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Load the model and write its decoder."""
    from latent_nmr.commands._output import Output
    from latent_nmr.models.beta_vae import BetaVAE
    from latent_nmr.models.decoder_json import save_decoder
    from latent_nmr.studies.trained_model import model_digest

    output = Output("export-decoder", options, options.out, positional=("model",), is_file=True)
    finished = output.finished({options.model: model_digest})
    if finished is not None:
        return _report(*finished, options.out)
    model = BetaVAE.load(options.model)
    with output.file() as staging:
        save_decoder(model, staging)
    values = {
        "n_components": model.architecture_.n_components,
        "n_features": model.architecture_.n_features,
        "n_bytes": options.out.stat().st_size,
    }
    manifest = output.write_manifest(values, {options.model: model_digest(options.model)})
    return _report(manifest, "", options.out)


def _report(manifest: dict, remark: str, out: Path) -> Report:
    lines = [remark] if remark else []
    lines.append(
        f"{out}: decoder of {manifest['n_components']} latent axes to {manifest['n_features']} "
        f"values, {manifest['n_bytes'] / 1e3:.0f} kB"
    )
    return Report(lines, {**manifest, "out": out})

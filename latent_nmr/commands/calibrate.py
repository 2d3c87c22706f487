"""Check posteriors on simulated curves: ranks, coverage, classes, and what is known of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latent_nmr.commands._shell import DataPath, ModelPath, Report
from latent_nmr.studies.echo_options import DataOptions


@dataclass(frozen=True)
class Options(DataOptions):
    """Check posteriors on simulated curves: ranks, coverage, classes, and what is known of each.

    Curves that the model was trained on are left out. The others are measured again with drawn
    noise; the checks are of simulation-based calibration, of intervals at 50, 68, 90 and 95 %
    overall and in thirds of W, SNR and θ, of the kernel's probabilities, and of the joint, before
    and after a local conformal correction.
    """

    model: ModelPath
    """Folder of a trained posterior, or the name of one that comes with the package."""
    data: DataPath
    """Simulated curves with labels and independent offsets."""
    snr: float | None = None
    """Signal-to-noise ratio of all curves; without it, drawn over the range of the training."""
    n_draws: int = 500
    """Draws of every posterior."""
    seed: int = 0
    """Seed of noise and draws."""
    out: Path | None = None
    """File to write, .json; without it, none."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Open, calibrate, write, report."""
    from latent_nmr.commands._output import Output
    from latent_nmr.errors import check_choice
    from latent_nmr.report.calibration import calibration_lines, calibration_values
    from latent_nmr.studies.posterior import calibrate
    from latent_nmr.studies.trained_model import model_digest

    if options.out is not None:
        check_choice("the suffix of --out", options.out.suffix, (".json",))
    how = {name: getattr(options, name) for name in ("snr", "n_draws", "seed")}
    result = calibrate(options.model, options.open(options.data), **how)
    values: dict[str, Any] = calibration_values(result)
    lines = calibration_lines(values)
    if options.out is not None:
        output = Output(
            "calibrate", options, options.out, positional=("model", "data"), is_file=True
        )
        inputs = {options.model: model_digest, options.data: options.digest}
        lines.append(output.keep_json({"command": output.command, **values}, inputs))
    return Report(lines, values)

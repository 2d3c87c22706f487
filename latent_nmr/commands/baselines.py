"""What PCA and K-means see in a data set, as the β-VAE's measuring rod."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latent_nmr.commands._shell import Report

FIGURES_FOLDER = Path("artifacts/figures")


@dataclass(frozen=True)
class Options:
    """Draw what PCA and K-means see in a data set, and what its clusters are.

    Writes maps of the first two principal components coloured by W, L and kernel, the sum of
    squares and the silhouette over the number of clusters, and the mean curves of two and of three
    clusters. Labels colour and describe; neither method sees them.
    """

    data: tyro.conf.Positional[Path]
    """Zarr store or compact set of echoes."""
    window: str = "echo"
    """Part of the record: echo (400 samples around the echo), full, or echo300."""
    normalisation: str = "initial"
    """What |M| is divided by: initial (|M(0)|) or window_max."""
    seed: int = 0
    """Seed of the starts of K-means and of the curves whose silhouettes are taken."""
    out: Path | None = None
    """Folder to write; without it, artifacts/figures/baselines-WINDOW."""
    force: bool = False
    """Replace an earlier result."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Read the data, fit both methods, write figures and numbers, report."""
    from latent_nmr._files import staged_folder, write_json
    from latent_nmr.commands._baselines import find_with_progress, labels_of, values_of
    from latent_nmr.commands._baselines_folder import (
        NUMBERS_FILE,
        command_of,
        draw,
        refuse_folder,
        report_lines,
    )
    from latent_nmr.data.echoes import fingerprint
    from latent_nmr.data.io import open_echoes
    from latent_nmr.data.windows import features, window_time

    check_options(options)
    out = options.out or FIGURES_FOLDER / f"baselines-{options.window}"
    refuse_folder(out, force=options.force)
    dataset = open_echoes(options.data)
    X = features(dataset, options.window, options.normalisation)
    findings = find_with_progress(X, labels_of(dataset), options.seed)
    settings = {name: getattr(options, name) for name in ("window", "normalisation", "seed")}
    values = {
        "command": command_of(options.data, settings, out),
        "data": str(options.data),
        "data_sha256": fingerprint(dataset),
        **settings,
        **values_of(findings),
    }
    time = window_time(dataset, options.window)
    with staged_folder(out) as staging:
        draw(staging, findings, dataset, time, options.normalisation)
        write_json(staging / NUMBERS_FILE, values)
    return Report(report_lines(values, out), {**values, "out": str(out)})


def check_options(options: Options) -> None:
    """Check all that can be checked without reading a file."""
    from latent_nmr.data.windows import HALF_WIDTHS, NORMALISATIONS
    from latent_nmr.errors import check_choice, check_count

    check_choice("--window", options.window, HALF_WIDTHS)
    check_choice("--normalisation", options.normalisation, NORMALISATIONS)
    check_count("--seed", options.seed, at_least=0, at_most=2**32 - 1)

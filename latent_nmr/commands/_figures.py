"""Saving a figure for the user: PNG and PDF, whole or not at all."""

import tempfile
from pathlib import Path

from latent_nmr.commands._output import refuse_overwriting
from latent_nmr.commands._shell import Report


def save_whole(figure, out: Path, *, force: bool) -> Report:
    """Save `figure` as out.png and out.pdf and report it; a given suffix is dropped."""
    from latent_nmr._files import staged_file
    from latent_nmr.plots.style import save_figure

    stem = out.with_suffix("") if out.suffix in (".png", ".pdf") else out
    targets = [stem.with_name(stem.name + suffix) for suffix in (".png", ".pdf")]
    refuse_overwriting(targets, force)
    with tempfile.TemporaryDirectory() as scratch:
        for made, target in zip(
            save_figure(figure, Path(scratch) / "figure"), targets, strict=True
        ):
            with staged_file(target) as staging:
                staging.write_bytes(made.read_bytes())
    return Report(
        ["wrote " + " and ".join(map(str, targets))], {"out": [str(target) for target in targets]}
    )

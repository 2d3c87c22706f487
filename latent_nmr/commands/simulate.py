"""Simulate labelled spin echoes into a zarr store."""

from dataclasses import dataclass
from pathlib import Path

from latent_nmr.commands._shell import Report


@dataclass(frozen=True)
class Options:
    """Simulate labelled spin echoes into a zarr store.

    A killed or interrupted run is continued by the same command; a larger --n-curves extends
    the store.
    """

    preset: str = "paper"
    """Published set whose distributions are used: paper."""
    n_curves: int = 1200
    """Curves the store shall hold."""
    seed: int = 0
    """The one seed of the data set."""
    line_draw: str = "independent"
    """How ν is drawn: independent, stratified or frozen."""
    n_edge: int | None = None
    """Lattice edge in sites; without it, the preset's."""
    step: float = 2.0
    """Time step in sample intervals: a whole number or one over one."""
    dtype: str = "float32"
    """Precision of the dynamics: float32 or float64."""
    out: Path | None = None
    """Store to write; without it, artifacts/data/PRESET-LINE_DRAW-seedSEED.zarr."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Fill the store and say what it holds."""
    from latent_nmr.commands._data import default_store, fill_with_progress
    from latent_nmr.errors import check_count
    from latent_nmr.physics.simulate import Simulation

    n_curves = check_count("--n-curves", options.n_curves)
    simulation = Simulation(
        preset=options.preset,
        seed=options.seed,
        line_draw=options.line_draw,
        n_edge=options.n_edge,
        step=options.step,
        dtype=options.dtype,
    )
    path = options.out or default_store(simulation)
    n_made = fill_with_progress(path, simulation, n_curves)
    return Report(
        [f"{path}: {n_curves} curves finished, {n_made} of them now"],
        {"out": str(path), "n_curves": n_curves, "n_simulated": n_made},
    )

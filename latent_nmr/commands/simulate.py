"""Simulate labelled spin echoes into a zarr store."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from latent_nmr.commands._jobs import JobOptions, check_spread, submit
from latent_nmr.commands._shell import Report, tell


@dataclass(frozen=True)
class Options:
    """Simulate labelled spin echoes into a zarr store.

    A killed or interrupted run is continued by the same command; a larger --n-curves extends
    the store. Several processes or machines that share a disk can fill one store: --part, --slurm.
    """

    preset: Literal[
        "paper",
        "paper-60",
        "paper-pair",
        "challenge2021-gauss",
        "challenge2021-rkky",
        "challenge2021-spin",
        "challenge2020",
    ] = "paper"
    """Published data set whose distributions are used."""
    n_curves: int = 1200
    """Number of curves in the finished store, all repeats included."""
    repeats: int = 1
    """Curves of each material: the same parameters, fresh ν. --n-curves counts all of them."""
    seed: int = 0
    """Seed of the data set."""
    line_draw: Literal["independent", "stratified", "frozen"] = "independent"
    """How the resonance offsets ν of the spins are drawn."""
    line_shape: Literal["lorentzian", "gaussian"] = "lorentzian"
    """Distribution of ν."""
    fwhm: float | None = None
    """Full width of that distribution at half maximum, MHz; without it, the preset's."""
    n_edge: int | None = None
    """Lattice edge in sites; without it, the preset's."""
    tolerance: float = 1e-3
    """Largest error of any component of M, by which each curve's steps are chosen; |M(0)| = 1/2."""
    step: float | None = None
    """Time step in sample intervals, n or 1/n, for all curves; the error is then not estimated."""
    scheme: Literal["averaged", "midpoint", "source"] = "averaged"
    """Integrator."""
    dtype: Literal["float32", "float64"] = "float32"
    """Precision of the dynamics."""
    with_mz: bool = False
    """Keep M_z too."""
    flip_angle_deg: float | None = None
    """θ of the first pulse in degrees, the second being 2θ; without it, the preset's."""
    protocols: tuple[str, ...] = ()
    """Several echoes of each material: θ in degrees, or θ:τ with τ in µs, as in 90:100 60:100."""
    offsets: Literal["same", "fresh"] = "same"
    """Whether all protocols of a curve have the same ν."""
    relaxation_rate: float = 0.0
    """R₁ = 1/(2π T₁) of the relaxation along z, MHz."""
    equilibrium_mz: float = 0.0
    """M_z to which spins relax; 0.5 if they were in equilibrium before the first pulse."""
    dry_run: bool = False
    """Estimate time and disk space, and stop."""
    spread: tyro.conf.OmitArgPrefixes[JobOptions] = field(default_factory=JobOptions)
    """Several processes."""
    out: Path | None = None
    """Store to write; without it, artifacts/data/PRESET-LINE_DRAW-seedSEED.zarr."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Simulate the curves that the store lacks, and report."""
    from latent_nmr.data.estimate import check_space, estimate_cost, store_size
    from latent_nmr.errors import check_count
    from latent_nmr.physics.simulate import Simulation
    from latent_nmr.studies.stores import default_store, fill_with_progress, n_missing

    check_count("--n-curves", options.n_curves)
    settings = {name: getattr(options, name) for name in Simulation.__dataclass_fields__}
    simulation = Simulation(**settings)
    n_curves = simulation.check_curves(options.n_curves)
    path = options.out or default_store(simulation)
    check_spread(options.spread)
    part = options.spread.part
    rows = range(n_curves)
    if part is not None:
        from latent_nmr.data.parts import numbered_part
        from latent_nmr.data.store import store_chunk

        rows = numbered_part(part, n_curves, store_chunk(path, n_curves))
    missing = n_missing(path, simulation, rows)
    check_space(path, store_size(simulation, missing))
    if options.dry_run:
        cost = estimate_cost(simulation, missing) if missing else None
        sentence = cost.sentence() if cost else "nothing to do"
        return Report(
            [f"{path}: {missing} of {len(rows)} curves to simulate: {sentence}"],
            {
                "out": path,
                "n_curves": n_curves,
                "n_to_simulate": missing,
                "seconds": cost.seconds if cost else 0.0,
                "bytes": cost.n_bytes if cost else 0,
            },
        )
    if options.spread.slurm:
        return submit(options.spread, path, simulation, n_curves, missing)
    start = time.perf_counter()
    n_made = fill_with_progress(path, simulation, n_curves, tell, None if part is None else rows)
    seconds = time.perf_counter() - start
    whose = "" if part is None else f" of part {part}"
    return Report(
        [f"{path}: {len(rows)} curves{whose} finished, {n_made} of them now, in {seconds:.0f} s"],
        {"out": path, "n_curves": n_curves, "n_simulated": n_made, "seconds": seconds},
    )

"""Data that studies take or simulate: the reference set, stores that are filled on demand."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from latent_nmr.shipped import REFERENCE

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.physics.simulate import Simulation

DATA_FOLDER = Path("artifacts/data")
# 3000 curves of |M| that come with the package: a name that `open_echoes` takes for a path.
REFERENCE_SET = Path(REFERENCE)
# For fewer curves a progress bar says it sooner.
WORTH_AN_ESTIMATE = 200


def default_store(simulation: "Simulation") -> Path:
    """Where the default data set with these settings is kept."""
    angle = simulation.flip_angle_deg
    turned = "" if angle is None else f"-flip{angle:g}"
    for protocol in simulation.protocols or ():
        spacing = "" if protocol.tau_us is None else f"-{protocol.tau_us:g}us"
        turned += f"-{protocol.flip_angle_deg:g}deg{spacing}"
    turned += "-fresh" * (simulation.offsets == "fresh")
    turned += "" if simulation.fwhm is None else f"-fwhm{simulation.fwhm:g}"
    repeated = "" if simulation.repeats == 1 else f"-repeats{simulation.repeats}"
    stem = f"{simulation.preset}-{simulation.line_draw}{turned}{repeated}-seed{simulation.seed}"
    return DATA_FOLDER / f"{stem}.zarr"


def open_whole_materials(
    path: Path, n_curves: int | None = None, *, name: str = "n_curves"
) -> "xr.Dataset":
    """The first curves of a data set, as :func:`latent_nmr.open_echoes` gives them.

    Raises
    ------
    InputError
        Also where that many leave repeats of a material in two; `name` is what it calls the number.
    """
    from latent_nmr.data.io import open_blocks, open_echoes
    from latent_nmr.data.labels import whole_cuts
    from latent_nmr.errors import InputError

    dataset = open_echoes(path, n_curves)
    if n_curves is None or "material" not in dataset.variables:
        return dataset
    materials = open_blocks(path).materials()
    whole = [n_curves] if materials is None else whole_cuts(materials, n_curves)
    if n_curves not in whole:
        raise InputError(
            f"{name} must leave no material in two, as its repeats belong together, but is "
            f"{n_curves}, and curves after these are of the same materials. Use "
            f"{' or '.join(map(str, whole))}."
        )
    return dataset


def n_missing(path: Path, simulation: "Simulation", rows: range) -> int:
    """Curves of `rows` that the store at `path` lacks; refuses other settings and names."""
    from latent_nmr._locks import real_path
    from latent_nmr.data._formats import check_store_name

    check_store_name(real_path(path))
    if not path.exists():
        return len(rows)
    from latent_nmr.data.store import finished_curves

    return len(rows) - finished_curves(path, simulation, rows)


def fill_with_progress(
    path: Path,
    simulation: "Simulation",
    n_curves: int,
    on_start: Callable[[str], object] = lambda _: None,
    part: range | None = None,
) -> int:
    """Simulate what the store at `path` lacks, with a progress bar; returns how many were made.

    `on_start` is called with a sentence on what is about to be simulated and what it will cost.
    With `part`, only these curves, while other processes simulate others.
    """
    from latent_nmr._progress import progress_bar
    from latent_nmr.data.estimate import estimate_cost
    from latent_nmr.data.store import fill_part, fill_store

    if part is None:
        counts, n_wanted = fill_store(path, simulation, n_curves), n_curves
    else:
        counts, n_wanted = fill_part(path, simulation, n_curves, [part]), len(part)
    finished = before = next(counts)
    missing = n_wanted - before
    if not missing:
        return 0
    what = f"Simulating {missing} of {n_wanted} curves of preset {simulation.preset} into {path}"
    if missing > WORTH_AN_ESTIMATE:
        what += f": {estimate_cost(simulation, missing).sentence()}"
    on_start(what)
    with progress_bar(n_wanted, "curve", initial=before) as bar:
        for finished in counts:
            bar.update(finished - bar.n)
    return finished - before

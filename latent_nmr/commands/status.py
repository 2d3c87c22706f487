"""Say which curves of a store are finished, on their way or missing."""

from dataclasses import dataclass

from latent_nmr.commands._shell import DataPath, Report


@dataclass(frozen=True)
class Options:
    """Say which curves of a store are finished, running, queued or missing.

    From the store's flags, the locks of its writers, and Slurm's queue where there is one.
    """

    data: DataPath
    """Store that latent-nmr simulate fills, as given to its --out."""
    json: bool = False
    """Print the result as one JSON object: numbers of curves, and [first, last] of each run."""


def run(options: Options) -> Report:
    """Look the store up, and report."""
    from latent_nmr.cluster.status import STATES, store_status

    found = store_status(options.data)
    curves = {state: [[span[0], span[-1]] for span in found.curves(state)] for state in STATES}
    counts = {f"n_{state}": found.count(state) for state in STATES}
    jobs = {"running": found.n_running, "queued": found.n_queued}
    more = {"n_curves": len(found.states), "n_jobs": jobs, "failures": found.failures}
    lines = [f"{options.data}: {found.sentences()[0]}", *found.sentences()[1:]]
    return Report(lines, {"data": options.data, **counts, **curves, **more})

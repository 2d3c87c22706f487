"""Train, calibrate and publish the posteriors that come with the package.

    python scripts/study_posterior.py [artifacts/data/paper-angles-seed0.zarr [--ship]]

Writes artifacts/tables/posterior.json and, with --ship, both models into the package. The curves
are those of `make data-posterior`; all of it takes about a quarter of an hour on two cores.
Without curves, the posterior of the package is checked by simulations near single echoes, in about
an hour: artifacts/tables/posterior-checks.json.
"""

import argparse
import shutil
from pathlib import Path

from latent_nmr import open_echoes, shipped
from latent_nmr.commands.main import run_script
from latent_nmr.report.kept_results import write_result
from latent_nmr.report.posterior_checks import checks_file
from latent_nmr.report.posterior_tables import kept_file, kept_values
from latent_nmr.studies.posterior.checks import further_checks
from latent_nmr.studies.posterior.models import as_posterior
from latent_nmr.studies.posterior.publishing import SETTINGS, publish_posterior


def main() -> None:
    """Both receivers, one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--ship", action="store_true", help="bring the models into the package")
    parser.add_argument("--runs", type=Path, default=Path("artifacts/runs/posterior"))
    options = parser.parse_args()
    if options.data is None:
        checks = further_checks(as_posterior("posterior"), options.runs / "checks")
        write_result(Path("artifacts/tables/posterior-checks.json"), checks_file(**checks))
        return
    dataset, found = open_echoes(options.data), {}
    for receiver in SETTINGS:
        folder = options.runs / receiver
        result, facts = publish_posterior(dataset, receiver, folder)
        found[receiver] = kept_values(result, facts)
        if options.ship:
            target = shipped.FOLDER / "models" / facts["model"]
            shutil.copytree(folder, target, dirs_exist_ok=True)
        print(f"{receiver}: trained in {facts['seconds']:.0f} s")
    values = kept_file(found, f"study_posterior.py {options.data}")
    write_result(Path("artifacts/tables/posterior.json"), values)
    if options.ship:
        shipped.write_manifest()


if __name__ == "__main__":
    run_script(main)

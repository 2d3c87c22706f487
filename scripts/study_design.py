"""Gains of pulse angles, what designed second echoes say, and the linear check, as JSON.

python scripts/study_design.py [MODEL]    # killed, the same command continues
"""

import sys
from pathlib import Path

from latent_nmr.commands.main import run_script
from latent_nmr.report.design import design_values
from latent_nmr.report.kept_results import write_result
from latent_nmr.studies.design.table import design_tables
from latent_nmr.studies.posterior.models import as_posterior


def main() -> None:
    """Design, prove, write."""
    model = as_posterior(Path((sys.argv[1:] or ["posterior"])[0]))
    for name, found in design_tables(model, design_values, folder=Path("artifacts/runs/design")):
        write_result(Path("artifacts/tables", name), found)


if __name__ == "__main__":
    run_script(main)

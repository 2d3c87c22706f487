"""Gains of pulse angles, and whether a designed second echo says what was promised, as JSON.

python scripts/study_design.py [MODEL]    # killed, the same command continues
"""

import sys
from pathlib import Path

from latent_nmr.commands.main import run_script
from latent_nmr.report.design import design_values
from latent_nmr.report.kept_results import write_result
from latent_nmr.studies.design.table import design_table
from latent_nmr.studies.posterior.models import as_posterior


def main() -> None:
    """Design, prove, write."""
    model = as_posterior(Path((sys.argv[1:] or ["posterior"])[0]))
    how = {"n_materials": 40, "n_truths": 24, "folder": Path("artifacts/runs/design")}
    write_result(Path("artifacts/tables/design.json"), design_table(model, design_values, **how))


if __name__ == "__main__":
    run_script(main)

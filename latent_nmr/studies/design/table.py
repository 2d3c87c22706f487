"""The tables of gains that the documents show, and the proof beside them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from latent_nmr.studies.design._candidates import parse_candidates
from latent_nmr.studies.design._conditions import Conditions
from latent_nmr.studies.design._linear import SCATTERED
from latent_nmr.studies.design._proof import proof_of_design, summary_of_proof
from latent_nmr.studies.design._result import DesignResult
from latent_nmr.studies.design._study import Task, design

if TYPE_CHECKING:
    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

CANDIDATES = ("theta 30:150:15", "pair 45 60 75", "theta 90+60")
CONDITIONS: dict[str, dict[str, Any]] = {
    "phase trusted": {"phase": True},
    "|M| alone": {"phase": False},
    "phase trusted, pulses 3 % off": {"phase": True, "flip_error": 0.03},
}
# What the linear check answers, of which each material costs a quarter of a minute and echo.
LINEAR_CANDIDATES = ("theta 30:150:30", "pair 60", "theta 90+60", "tau 50:150:25")
# Angles of second echoes after one at 90°, degrees.
SECOND = (30.0, 60.0, 90.0, 120.0, 150.0)
SNR = 30.0
N_DRAWS = 400


def design_tables(
    model: "EchoPosterior",
    values_of: Callable[[DesignResult], dict[str, Any]],
    *,
    folder: Path,
    n_materials: int = 40,
    n_truths: int = 24,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names of files and what they hold: gains with proofs, and the linear check."""
    how: dict[str, Any] = {"n_materials": n_materials, "folder": folder}
    yield "design.json", design_table(model, values_of, n_truths=n_truths, **how)
    yield "design-linear.json", linear_table(model, **how)


def design_table(
    model: "EchoPosterior",
    values_of: Callable[[DesignResult], dict[str, Any]],
    *,
    n_materials: int,
    n_truths: int,
    folder: Path,
) -> dict[str, Any]:
    """Gains under every condition, as `values_of` gives them, and proofs where pulses are right."""
    found: dict[str, Any] = {}
    for name, own in CONDITIONS.items():
        how: dict[str, Any] = {"n_materials": n_materials, "folder": folder, "snr": SNR, **own}
        found[name] = values_of(design(model, candidates=CANDIDATES, **how))
        if "flip_error" not in own:
            conditions = Conditions(SNR, own["phase"], 0.0)
            table = proof_of_design(model, SECOND, conditions, n_truths=n_truths, folder=folder)
            found[f"proof, {name}"] = summary_of_proof(table)
    return found


def linear_table(model: "EchoPosterior", *, n_materials: int, folder: Path) -> dict[str, Any]:
    """Gains by the linear check where pulses are right, for the first materials of the others."""
    found: dict[str, Any] = {}
    for name, own in CONDITIONS.items():
        if "flip_error" in own:
            continue
        conditions = Conditions(SNR, own["phase"], 0.0)
        task = Task.of(model, (), conditions, n_materials, N_DRAWS, None, 0)
        check, records, scattered = task.linear_check(folder), [], {}
        for candidate in parse_candidates(LINEAR_CANDIDATES):
            rows, scattered[candidate.name] = check.records(candidate)
            records += rows
        result = DesignResult(pd.DataFrame(records), {})
        found[name] = {
            **conditions._asdict(),
            "n_linear": len(check.precisions),
            SCATTERED: scattered,
            "linear": result.linear.to_dict("records"),
        }
    return found

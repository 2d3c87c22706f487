"""The table of gains that the documents show, and the proof beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr.studies.design._proof import proof_of_design, summary_of_proof
from latent_nmr.studies.design._study import Conditions, DesignResult, design

if TYPE_CHECKING:
    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

CANDIDATES = ("theta 30:150:15", "pair 45 60 75", "theta 90+60")
CONDITIONS: dict[str, dict[str, Any]] = {
    "phase trusted": {"phase": True},
    "|M| alone": {"phase": False},
    "phase trusted, pulses 3 % off": {"phase": True, "flip_error": 0.03},
}
# Angles of second echoes after one at 90°, degrees.
SECOND = (30.0, 60.0, 90.0, 120.0, 150.0)
SNR = 30.0


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

r"""The linear check of a design: what echoes would say if they were linear in the parameters.

.. math:: \frac12 \log \det(1 + Λ^{-1} \sum F)

with Λ the precision of what is known of the normal scores u within the material's own kernel, 1 for
the prior, and F the information in each echo. It is local and Gaussian, and does not ask which
kernel it is; it needs no posterior, and so answers for pulses that none was trained at.
"""

from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.information import expected_gain, narrowing
from latent_nmr.models.posterior.prior import Materials, Prior
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.sequence import Sequence
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies.design._candidates import Candidate
from latent_nmr.studies.design._conditions import Conditions
from latent_nmr.studies.design._features import Information, features_of, information_of
from latent_nmr.studies.design._gain import ALL
from latent_nmr.studies.design._result import LINEAR, LINEAR_TARGETS, records_of
from latent_nmr.studies.design._slopes import Repeats, Slopes, quantity_slopes
from latent_nmr.studies.posterior._combine import Weighted

FloatArray = npt.NDArray[np.float64]

# Of a study; derivatives of each cost as much as thirty curves of every echo.
MOST_MATERIALS = 12
# Variance of u that is added to what is known: draws that are few may all be one.
LEAST_VARIANCE = 1e-4
SCATTERED = "scattered"


class Echoes(NamedTuple):
    """Echoes of materials after any pulses, simulated once each.

    Attributes
    ----------
    materials : Materials, arrays of shape (n_materials,)
    slopes : Slopes
    ledger : Ledger
    """

    materials: Materials
    slopes: Slopes
    ledger: Ledger

    def repeats(self, number: int, sequence: Sequence) -> Repeats:
        """Those of one material."""
        material = self.materials.rows([number])
        facts = {
            "material": digest_of(material._asdict()),
            "number": number,
            "pulses": [[pulse.sample, pulse.angle] for pulse in sequence.pulses],
            "n_samples": sequence.n_samples,
        }

        def compute() -> dict[str, npt.NDArray]:
            return self.slopes.repeats(material, number, sequence)._asdict()

        return Repeats(**self.ledger.take_arrays(facts, compute))


class LinearCheck(NamedTuple):
    """What all candidates have in common.

    Attributes
    ----------
    prior : Prior
    echoes : Echoes
    precisions : ndarray, shape (n_materials, 3, 3)
        Of what is known of the scores u of each material, given its kernel.
    conditions : Conditions
    usual : Sequence
        Pulses of the preset.
    """

    prior: Prior
    echoes: Echoes
    precisions: FloatArray
    conditions: Conditions
    usual: Sequence

    @classmethod
    def of(
        cls,
        prior: Prior,
        belief: Weighted | None,
        truths: Materials,
        conditions: Conditions,
        n_edge: int | None,
        seed: int,
        folder: Path | None,
        preset: str = "paper",
    ) -> Self:
        """With the first of the materials; without a belief nothing is known but the prior."""
        known = get_preset(preset)
        edge = known.n_edge if n_edge is None else n_edge
        materials = truths.rows(slice(MOST_MATERIALS))
        identity = {
            "study": "design, linear",
            "prior": prior.as_entries(),
            "seed": seed,
            "n_edge": edge,
            "preset": preset,
            "flip_error": conditions.flip_error,
        }
        slopes = Slopes(prior, known.line, edge, seed)
        precisions = np.stack([_precision(prior, belief, own) for own in materials.kernel])
        echoes = Echoes(materials, slopes, Ledger(folder, identity))
        return cls(prior, echoes, precisions, conditions, known.sequence)

    def gains(self, candidate: Candidate) -> list[dict[str, float]]:
        """What echoes of a candidate say about each material, and whether slopes were scatter."""
        n_echoes = len(candidate.flip_angles_deg)
        sequences = candidate.sequences(self.usual, self.conditions.flip_error)
        echoes = [
            self._information(sequence, np.sin(np.radians(angle)) / np.sqrt(n_echoes))
            for sequence, angle in zip(sequences, candidate.flip_angles_deg, strict=True)
        ]
        found = []
        for number, own in enumerate(zip(*echoes, strict=True)):
            fisher = np.sum([echo.fisher for echo in own], axis=0)
            precision = self.precisions[number]
            slopes = quantity_slopes(self.prior, self.echoes.materials.rows([number]))
            directions = np.stack(list(slopes.values()), axis=1)
            narrowed = narrowing(fisher, precision, directions)
            gains = {ALL: expected_gain(fisher, precision)}
            gains |= dict(zip(slopes, map(float, narrowed), strict=True))
            found.append({**gains, SCATTERED: float(any(echo.is_scattered for echo in own))})
        return found

    def records(self, candidate: Candidate) -> tuple[list[dict[str, Any]], int]:
        """Records of these gains, and of how many materials derivatives were mostly scatter."""
        found = self.gains(candidate)
        n_scattered = sum(bool(own[SCATTERED]) for own in found)
        return records_of(LINEAR, candidate, found, LINEAR_TARGETS), n_scattered

    def _information(self, sequence: Sequence, part: float) -> list[Information]:
        """Of one echo about each material, at a part of the SNR of all."""
        features = []
        for number in range(len(self.precisions)):
            repeats = self.echoes.repeats(number, sequence)
            snr = float(self.conditions.snr * part)
            features.append(features_of(repeats, snr, phase=self.conditions.phase))
        return information_of(features)


def _precision(prior: Prior, belief: Weighted | None, kernel: int) -> FloatArray:
    """Inverse covariance of the scores u within a kernel."""
    if belief is None:
        return np.eye(3)
    own = belief.materials.kernel == kernel
    scores, weights = prior.scores(belief.materials.rows(own)), belief.weights[own]
    covariance = np.cov(scores.T, aweights=weights, ddof=0)
    return np.asarray(np.linalg.inv(covariance + LEAST_VARIANCE * np.eye(3)), np.float64)

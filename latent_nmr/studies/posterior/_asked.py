"""A row that a posterior is asked about, and what it says."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr.models.posterior.prior import Materials

if TYPE_CHECKING:
    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

FloatArray = npt.NDArray[np.float64]


class Asked:
    """What a posterior says of the row that an object holds."""

    model: "EchoPosterior"
    row: npt.NDArray[np.float32]
    flip_angle_deg: float
    phase: bool
    snr: float

    def sample(self, n_draws: int, random: np.random.RandomState) -> Materials:
        """Draws given the echo, arrays of shape (n_draws,)."""
        how = {"n_draws": n_draws, "random_state": random}
        return self.model.sample(self.row, **self._given(), **how).rows(0)

    def information(self, materials: Materials) -> FloatArray:
        """log of posterior over prior density of materials of shape (n,), nats, shape (n,)."""
        names = np.array(self.model.prior_.kernels)[materials.kernel]
        rows = np.repeat(self.row, len(names), axis=0)
        labels = materials._replace(kernel=names)._asdict()
        return self.model.information(rows, labels, **self._given())

    def _given(self) -> dict[str, Any]:
        return {"flip_angle_deg": self.flip_angle_deg, "phase": self.phase, "snr": self.snr}

    def shares(self) -> FloatArray:
        """Probabilities of the kernels."""
        return self.model.predict_kernel_proba(self.row, **self._given())[0]


@dataclass(frozen=True, eq=False)
class AskedRow(Asked):
    """One row as an `EchoPosterior` takes it, with how it was measured.

    Attributes
    ----------
    model : EchoPosterior
    row : ndarray of float32, shape (1, n_features)
    flip_angle_deg : float
        θ of the first pulse, degrees.
    phase : bool
        Whether its phase is trusted, with its carrier.
    snr : float
        As of `EchoPosterior.sample`.
    """

    model: "EchoPosterior"
    row: npt.NDArray[np.float32]
    flip_angle_deg: float
    phase: bool
    snr: float

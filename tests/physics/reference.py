"""A second simulator, written from the equations alone, slow and in float64.

Every site has a 2 x 2 density matrix ρ_i = 1/2 + 2 s_i · I. Its Liouvillian, a 4 x 4 matrix, is
that of H_i = -ν_i I^z - Σ_d α_d M^d_i I^d plus a Lindblad operator √Γ I^z, whose transverse
rate is Γ/2; it is exponentiated by SciPy. The mean field is a double sum over sites. Nothing
here is shared with the package but the numbers that go in. Units: MHz and µs.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from threadpoolctl import threadpool_limits

ONE = np.eye(2)
SPIN = 0.5 * np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])

LAWS = {
    "gaussian": lambda r, width: np.exp(-(r**2) / width**2),
    "power": lambda r, power: 1 / r**power,
    "rkky": lambda r, width: (
        (2 * r / width * np.cos(2 * r / width) - np.sin(2 * r / width)) / (2 * r / width) ** 4
    ),
}


@dataclass(frozen=True)
class Sample:
    """A lattice and its experiment, as plain numbers in MHz and µs.

    Attributes
    ----------
    frequencies : ndarray, shape (n_edge, n_edge)
        ν_i.
    kernel, parameter : str, float
        Key of `LAWS` and its parameter.
    couplings : tuple of float
        (α_x, α_y, α_z).
    decay_rate, dt : float
        R and the sample interval.
    n_samples : int
    pulses : tuple of (sample, angle, phase)
    """

    frequencies: NDArray[np.float64]
    kernel: str
    parameter: float
    couplings: tuple[float, float, float]
    decay_rate: float
    dt: float
    n_samples: int
    pulses: tuple[tuple[int, float, float], ...]

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """K(r_ij)/κ for every pair of sites, shape (n_sites, n_sites); sites in row order."""
        n_edge = len(self.frequencies)
        sites = [(x, y) for x in range(n_edge) for y in range(n_edge)]
        weights = np.zeros((len(sites), len(sites)))
        for i, (x, y) in enumerate(sites):
            for j, (other_x, other_y) in enumerate(sites):
                if i == j:
                    continue
                dx, dy = abs(x - other_x), abs(y - other_y)
                r = np.sqrt(min(dx, n_edge - dx) ** 2 + min(dy, n_edge - dy) ** 2)
                weights[i, j] = LAWS[self.kernel](r, self.parameter)
        return weights / weights[0].sum()

    @property
    def spans(self) -> list[int]:
        """Sample intervals after each pulse."""
        starts = [sample for sample, _, _ in self.pulses] + [self.n_samples - 1]
        return [end - start for start, end in pairwise(starts)]

    def polarised(self) -> NDArray[np.complex128]:
        """ρ of every site along +z, shape (n_sites, 2, 2)."""
        return np.tile(ONE / 2 + SPIN[2], (self.frequencies.size, 1, 1))


def expectation(rho: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Tr(ρ I^d) of every site, shape (n_sites, 3)."""
    return np.einsum("nij,dji->nd", rho, SPIN).real


def local_field(spins: NDArray[np.float64], sample: Sample) -> NDArray[np.float64]:
    """b_i in MHz, shape (n_sites, 3)."""
    field = np.array(sample.couplings) * (sample.weights @ spins)
    field[:, 2] += sample.frequencies.ravel()
    return field


def precession(field: NDArray[np.float64], duration: float) -> NDArray[np.complex128]:
    """Propagator of vec(ρ_i) in a frozen field, shape (n_sites, 4, 4)."""
    hamiltonian = -np.einsum("nd,dij->nij", field, SPIN)
    liouvillian = -2j * np.pi * np.array([np.kron(h, ONE) - np.kron(ONE, h.T) for h in hamiltonian])
    return expm(liouvillian * duration)


def dephasing(decay_rate: float, duration: float) -> NDArray[np.complex128]:
    """Propagator of vec(ρ) under the Lindblad operator √Γ I^z, Γ/2 = 2πR, shape (4, 4)."""
    z = SPIN[2]
    lindblad = np.kron(z, z.conj()) - (np.kron(z @ z, ONE) + np.kron(ONE, (z @ z).T)) / 2
    return expm(4 * np.pi * decay_rate * lindblad * duration)


def evolve(rho, field, sample: Sample, duration: float):
    """Half the dephasing, the precession, the other half."""
    half = dephasing(sample.decay_rate, duration / 2)
    propagator = half @ precession(field, duration) @ half
    return np.einsum("nab,nb->na", propagator, rho.reshape(-1, 4)).reshape(-1, 2, 2)


def pulsed(rho, angle: float, phase: float):
    """Rotate every ρ by the ideal pulse H = -ω (I^x cos φ + I^y sin φ), ω t = `angle`."""
    turn = expm(1j * angle * (np.cos(phase) * SPIN[0] + np.sin(phase) * SPIN[1]))
    return turn @ rho @ turn.conj().T


# Threads only get in the way of 4 x 4 matrices: thirty times slower where cores are busy.
@threadpool_limits.wrap(limits=1, user_api="blas")
def stepped_curve(sample: Sample, step: float, scheme: str) -> NDArray[np.float64]:
    """Mean spin at every sample, shape (n_samples, 3), by the package's scheme and step."""
    rho = sample.polarised()
    curve = []
    for (_, angle, phase), span in zip(sample.pulses, sample.spans, strict=True):
        rho = pulsed(rho, angle, phase)
        curve.append(expectation(rho).mean(axis=0))
        done = 0
        while done < span:
            in_step = min(max(round(step), 1), span - done)
            per_sample = max(round(1 / step), 1)
            interval = sample.dt / per_sample
            for _ in range(per_sample):
                field = local_field(expectation(rho), sample)
                if scheme == "midpoint":
                    halfway = evolve(rho, field, sample, in_step * interval / 2)
                    field = local_field(expectation(halfway), sample)
                states = []
                for _ in range(in_step):
                    rho = evolve(rho, field, sample, interval)
                    states.append(expectation(rho).mean(axis=0))
            curve.extend(states)
            done += in_step
        # The next pulse acts at the time of the last sample, which is taken after it.
        last = curve.pop()
    return np.array([*curve, last])


def exact_curve(sample: Sample) -> NDArray[np.float64]:
    """Mean spin at every sample, shape (n_samples, 3): the equation of motion solved to 1e-12."""
    n_sites = sample.frequencies.size

    def slope(_, flat):
        spins = flat.reshape(n_sites, 3)
        turning = np.cross(spins, local_field(spins, sample))
        return (2 * np.pi * (turning - sample.decay_rate * spins * [1, 1, 0])).ravel()

    rho = sample.polarised()
    curve = np.zeros((0, 3))
    for (_, angle, phase), span in zip(sample.pulses, sample.spans, strict=True):
        start = expectation(pulsed(rho, angle, phase))
        times = sample.dt * np.arange(span + 1)
        if span:
            solution = solve_ivp(
                slope, (0, times[-1]), start.ravel(), "DOP853", times, rtol=1e-12, atol=1e-13
            )
            spins = solution.y.T.reshape(-1, n_sites, 3)
        else:
            spins = start[None]
        rho = ONE / 2 + 2 * np.einsum("nd,dij->nij", spins[-1], SPIN)
        curve = np.concatenate([curve[:-1], spins.mean(axis=1)])
    return curve

"""A second simulator, written from the equations alone, slow and in float64.

Every site has a 2 x 2 density matrix ρ_i = 1/2 + 2 s_i · I. Its Liouvillian, a 4 x 4 matrix, is
that of H_i = -ν_i I^z - Σ_d α_d M^d_i I^d plus Lindblad operators √Γ I^z, whose transverse
rate is Γ/2, and √Γ∓ I^∓; it is exponentiated by SciPy. The mean field is a double sum over sites,
the mean over a step a block of a larger exponential, Magnus' second term a commutator. Nothing
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
    relaxation_rate, equilibrium_mz : float
        Γ₊ + Γ₋, and (Γ₊ - Γ₋)/2 over that.
    """

    frequencies: NDArray[np.float64]
    kernel: str
    parameter: float
    couplings: tuple[float, float, float]
    decay_rate: float
    dt: float
    n_samples: int
    pulses: tuple[tuple[int, float, float], ...]
    relaxation_rate: float = 0.0
    equilibrium_mz: float = 0.0

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


def coupled_field(spins: NDArray[np.float64], sample: Sample) -> NDArray[np.float64]:
    """α M_i in MHz, shape (n_sites, 3)."""
    return np.array(sample.couplings) * (sample.weights @ spins)


def with_line(field: NDArray[np.float64], sample: Sample) -> NDArray[np.float64]:
    """The field and the site's own frequency beside it, MHz."""
    return field + np.multiply.outer(sample.frequencies.ravel(), [0, 0, 1])


def local_field(spins: NDArray[np.float64], sample: Sample) -> NDArray[np.float64]:
    """b_i in MHz, shape (n_sites, 3)."""
    return with_line(coupled_field(spins, sample), sample)


def liouvillian(field: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Generator of vec(ρ_i) in a field, 1/µs, shape (n_sites, 4, 4)."""
    hamiltonian = -np.einsum("nd,dij->nij", field, SPIN)
    return -2j * np.pi * np.array([np.kron(h, ONE) - np.kron(ONE, h.T) for h in hamiltonian])


def applied(propagator: NDArray[np.complex128], rho: NDArray[np.complex128]):
    """vec(ρ) of every site times its own propagator, or one for all."""
    return (propagator @ rho.reshape(-1, 4, 1)).reshape(-1, 2, 2)


def mean_propagator(generator: NDArray[np.complex128], duration: float):
    """(1/T) ∫₀ᵀ exp(Lt) dt: the upper right block of exp of (LT, 1; 0, 0)."""
    block = np.zeros((len(generator), 8, 8), complex)
    block[:, :4, :4] = generator * duration
    block[:, :4, 4:] = np.eye(4)
    return expm(block)[:, :4, 4:]


def losses(sample: Sample, duration: float) -> NDArray[np.complex128]:
    """Propagator of vec(ρ) under all Lindblad operators, shape (4, 4)."""
    raising = SPIN[0] + 1j * SPIN[1]
    upwards = sample.relaxation_rate * (1 / 2 + sample.equilibrium_mz)
    downwards = sample.relaxation_rate * (1 / 2 - sample.equilibrium_mz)
    generator = np.zeros((4, 4), complex)
    for rate, jump in (
        (2 * sample.decay_rate, SPIN[2]),
        (upwards, raising),
        (downwards, raising.conj().T),
    ):
        lost = jump.conj().T @ jump
        gained = np.kron(jump, jump.conj())
        generator += rate * (gained - (np.kron(lost, ONE) + np.kron(ONE, lost.T)) / 2)
    return expm(2 * np.pi * generator * duration)


def evolve(rho, generator, sample: Sample, n: int, interval: float):
    """Half a step's losses, n intervals of precession, the other half.

    Returns ρ and the mean spin after each interval, which has lost for just so long.
    """
    rho = applied(losses(sample, n * interval / 2), rho)
    one = expm(generator * interval)
    seen = []
    for k in range(1, n + 1):
        rho = applied(one, rho)
        now = applied(losses(sample, (k - n / 2) * interval), rho)
        seen.append(expectation(now).mean(axis=0))
    return applied(losses(sample, n * interval / 2), rho), seen


def pulsed(rho, angle: float, phase: float):
    """Rotate every ρ by the ideal pulse H = -ω (I^x cos φ + I^y sin φ), ω t = `angle`."""
    turn = expm(1j * angle * (np.cos(phase) * SPIN[0] + np.sin(phase) * SPIN[1]))
    return turn @ rho @ turn.conj().T


def frozen_generator(rho, sample: Sample, duration: float, scheme: str):
    """Liouvillian of a step of `source` or `midpoint`."""
    generator = liouvillian(local_field(expectation(rho), sample))
    if scheme == "midpoint":
        halfway, _ = evolve(rho, generator, sample, 1, duration / 2)
        generator = liouvillian(local_field(expectation(halfway), sample))
    return generator


def averaged_generator(rho, history, sample: Sample, duration: float):
    """Liouvillian of a step of `averaged`, and its history.

    That is the mean fields of this step and of the one before, with the lengths of both.
    """

    def field_ahead(predicted):
        start = applied(losses(sample, duration / 2), rho)
        generator = liouvillian(with_line(predicted, sample))
        mean = applied(mean_propagator(generator, duration), start)
        return coupled_field(expectation(mean), sample)

    if history is None:
        at_start = coupled_field(expectation(rho), sample)
        first = field_ahead(at_start)
        mean = field_ahead((at_start + 2 * first) / 3)
        rise = 2 * (mean - at_start)
    else:
        last, before, its_duration, earlier = history
        # Mean fields stand in the middles of their steps. The line through the last two is taken a
        # third of the step ahead, which acts on the mean spin as the line itself does.
        slope = (last - before) / ((its_duration + earlier) / 2)
        mean = field_ahead(last + slope * (its_duration / 2 + duration / 3))
        rise = (mean - last) / ((duration + its_duration) / 2) * duration
    # For L(t) = L̄ + (t/T - 1/2) D Magnus' second term, (1/2) ∫∫ [L(t), L(t')] over t' < t, is
    # T²/12 [D, L̄]. Divided by T it adds to the generator.
    middle, change = liouvillian(with_line(mean, sample)), liouvillian(rise)
    commutator = change @ middle - middle @ change
    if history is None:
        return middle + duration / 12 * commutator, (mean, mean - rise, duration, duration)
    return middle + duration / 12 * commutator, (mean, last, duration, its_duration)


# Threads only get in the way of 4 x 4 matrices: thirty times slower where cores are busy.
@threadpool_limits.wrap(limits=1, user_api="blas")
def stepped_curve(sample: Sample, step: float, scheme: str) -> NDArray[np.float64]:
    """Mean spin at every sample, shape (n_samples, 3), by the package's scheme and step."""
    in_step, per_sample = max(round(step), 1), max(round(1 / step), 1)
    interval = sample.dt / per_sample
    rho = sample.polarised()
    curve = []
    for (_, angle, phase), span in zip(sample.pulses, sample.spans, strict=True):
        rho = pulsed(rho, angle, phase)
        # A pulse acts at the time of the last sample, which is taken after it.
        curve[-1:] = [expectation(rho).mean(axis=0)]
        left, history = span * per_sample, None
        while left:
            n = min(in_step, left)
            if scheme == "averaged":
                generator, history = averaged_generator(rho, history, sample, n * interval)
            else:
                generator = frozen_generator(rho, sample, n * interval, scheme)
            rho, seen = evolve(rho, generator, sample, n, interval)
            curve.extend(seen)
            left -= n
    return np.array(curve[::per_sample])


def exact_curve(sample: Sample) -> NDArray[np.float64]:
    """Mean spin at every sample, shape (n_samples, 3): the equation of motion solved to 1e-12."""
    n_sites = sample.frequencies.size

    def slope(_, flat):
        spins = flat.reshape(n_sites, 3)
        turning = np.cross(spins, local_field(spins, sample))
        rates = sample.decay_rate * np.array([1, 1, 0])
        rates = rates + sample.relaxation_rate * np.array([1 / 2, 1 / 2, 1])
        away = spins - sample.equilibrium_mz * np.array([0, 0, 1])
        return (2 * np.pi * (turning - rates * away)).ravel()

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

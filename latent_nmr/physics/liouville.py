"""The algorithm behind the paper, in NumPy: an independent way to the same curve, for comparison.

Density matrices in Liouville space, the mean field as a sum over all pairs: n⁴ operations per
sample for n × n sites, against n² log n of :mod:`latent_nmr.physics.propagate`.
"""

import numpy as np
import numpy.typing as npt

from latent_nmr.physics.sequence import Sequence


def liouville_curve(
    frequencies: npt.NDArray[np.floating],
    table: npt.NDArray[np.floating],
    couplings: tuple[float, float, float],
    sequence: Sequence,
    *,
    decay_rate: float = 0.0,
    relaxation_rate: float = 0.0,
    equilibrium_mz: float = 0.0,
) -> npt.NDArray[np.float64]:
    """Simulate one curve as the lattice code behind the paper does.

    At every sample interval the mean field of every site is the sum over all pairs, and every
    site's 4 × 4 Liouvillian is exponentiated. (The exponential is a Taylor sum over all sites at
    once, which favours the source: its own code calls a library once per site.) It is the scheme
    `source` of :func:`latent_nmr.simulate_lattices` by other means, but for losses, which that one
    splits from the rotation.

    Parameters
    ----------
    frequencies : ndarray, shape (n_edge, n_edge)
        Offset map ν_i, MHz.
    table : ndarray, shape (n_edge, n_edge)
        Signed K(r) from site (0, 0), see :func:`latent_nmr.kernel_table`.
    couplings : tuple of float
        (α_x, α_y, α_z), MHz.
    sequence : Sequence
    decay_rate, relaxation_rate, equilibrium_mz : float
        As in :func:`latent_nmr.simulate_lattices`, by Lindblad operators (see
        :mod:`latent_nmr.physics.relaxation`), exponentiated together with the rotation.

    Returns
    -------
    ndarray, shape (n_samples, 3)
        (M_x, M_y, M_z); |M(0)| = 1/2.
    """
    n_edge = len(frequencies)
    site = np.arange(n_edge**2)
    x, y = site // n_edge, site % n_edge
    pairs = table[(x[:, None] - x) % n_edge, (y[:, None] - y) % n_edge] / table.sum()
    spin = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2
    identity = np.eye(2)
    # vec(-i[H, ρ]) = L vec(ρ), row by row, for H = I^d.
    liouvillians = np.array(
        [-1j * (np.kron(op, identity) - np.kron(identity, op.T)) for op in spin]
    )
    jumps = lindblad_operators(spin, decay_rate, relaxation_rate, equilibrium_mz)
    losses = 2 * np.pi * sequence.dt * sum(map(dissipator, jumps))
    density = np.tile((identity / 2 + spin[2]).reshape(4, 1).astype(complex), (n_edge**2, 1, 1))
    measure = spin.transpose(0, 2, 1).reshape(3, 4)
    signal = []
    for sample in range(sequence.n_samples):
        for pulse in sequence.pulses:
            if pulse.sample == sample:
                axis = np.array([np.cos(pulse.phase), np.sin(pulse.phase), 0.0])
                generator = -pulse.angle * np.tensordot(axis, liouvillians, 1)
                density = exponential(generator[None]) @ density
        spins = (density[..., 0] @ measure.T).real
        signal.append(spins.mean(axis=0))
        field = (pairs @ spins) * couplings
        field[:, 2] += frequencies.ravel()
        # H_i = -b_i · I_i
        generators = np.tensordot(-2 * np.pi * sequence.dt * field, liouvillians, 1)
        density = exponential(generators + losses) @ density
    return np.array(signal)


def lindblad_operators(
    spin: npt.NDArray, decay_rate: float, relaxation_rate: float, equilibrium_mz: float
) -> list[npt.NDArray]:
    """√Γ I^z, √Γ₋ I⁻ and √Γ₊ I⁺ of the given rates, MHz^½, of I^x, I^y and I^z."""
    x, y, z = spin
    up, down = (relaxation_rate * (0.5 + sign * equilibrium_mz) for sign in (1, -1))
    rates = (2 * decay_rate, down, up)
    return [
        np.sqrt(rate) * one for rate, one in zip(rates, (z, x - 1j * y, x + 1j * y), strict=True)
    ]


def dissipator(jump: npt.NDArray) -> npt.NDArray:
    """Matrix of ρ → LρL† − ½{L†L, ρ} on vec(ρ), row by row."""
    identity, both = np.eye(len(jump)), jump.conj().T @ jump
    return np.kron(jump, jump.conj()) - (np.kron(both, identity) + np.kron(identity, both.T)) / 2


def exponential(matrices: npt.NDArray) -> npt.NDArray:
    """Matrix exponentials, shape (n, 4, 4), by scaling, a Taylor sum, and squaring."""
    size = np.abs(matrices).sum(axis=-1).max()
    n_squarings = max(int(np.ceil(np.log2(max(size, 1e-30) / 0.5))), 0)
    scaled = matrices / 2**n_squarings
    total = term = np.broadcast_to(np.eye(4, dtype=complex), matrices.shape)
    for k in range(1, 13):
        term = term @ scaled / k
        total = total + term
    for _ in range(n_squarings):
        total = total @ total
    return total

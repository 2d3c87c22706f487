"""Cases that can be solved by hand, on the full lattice of 100 × 100 sites."""

import math

import jax
import numpy as np
import pytest
from scipy.integrate import quad

from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.line import Line, draw_frequencies
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.sequence import Pulse, Sequence, spin_echo
from tests.analytic import line_transform, uncoupled_echo, uniform_precession

PAPER = get_preset("paper")
N_SITES = PAPER.n_edge**2
DT = 1 / (2 * math.pi)
# 1885 samples of 1/(2π) µs: 300 µs of free-induction decay after one 90° pulse.
LONG_DECAY = Sequence(DT, 1886, (Pulse(0, math.pi / 2),))

# |M(k dt)| of the published data for k = 0..9 and dt = 1/(2π) µs.
PUBLISHED = [
    *(0.5, 0.498116, 0.492628, 0.484011, 0.472974),
    *(0.460367, 0.447055, 0.433814, 0.421236, 0.409678),
]


def uncoupled(draw, sequence, dtype="float32", **options):
    """The signal of spins that do not interact, shape (n_samples, 3)."""
    field = draw_frequencies(jax.random.key(0), PAPER.n_edge, Line(draw=draw))
    # A kernel is needed, and must not matter.
    table = kernel_table("rkky", 20.0, PAPER.n_edge)
    return simulate_lattices(
        np.asarray(field)[None], table[None], np.zeros((1, 3)), sequence, dtype=dtype, **options
    )[0]


def transverse(signal):
    return signal[:, 0] + 1j * signal[:, 1]


@pytest.fixture(scope="module", params=["float32", "float64"])
def stratified_decay(request):
    return uncoupled("stratified", LONG_DECAY, request.param)


class TestLineTransform:
    """The closed form itself."""

    @pytest.mark.parametrize("time", [0.0, 1.0, 37.0, 300.0])
    @pytest.mark.parametrize("cutoff", [0.25, 0.5])
    def test_it_is_the_fourier_integral_of_the_cut_lorentzian(self, time, cutoff):
        def density(frequency):
            return 1 / (1 + (2 * frequency / 0.05) ** 2)

        # SciPy's adaptive rule for oscillating integrands states its own error.
        integral, error = quad(density, 0, cutoff, weight="cos", wvar=2 * math.pi * time)
        norm, _ = quad(density, 0, cutoff)
        assert line_transform(time, 0.05, cutoff) == pytest.approx(
            integral / norm, abs=error / norm + 1e-12
        )

    def test_a_wide_cutoff_leaves_the_exponential_of_the_full_line(self):
        time = np.array([2.0, 10.0, 30.0])
        # What lies beyond the cutoff is 2/π arctan(Γ/2c) of the line: 1.6e-3 at c = 400 Γ.
        np.testing.assert_allclose(
            line_transform(time, 0.05, 20.0), np.exp(-math.pi * 0.05 * time), atol=1.6e-3
        )

    def test_it_agrees_with_the_published_free_induction_decay(self):
        # 0.0007 is how far rows of the data scatter about each other.
        expected = 0.5 * line_transform(DT * np.arange(10), PAPER.line.fwhm, PAPER.line.cutoff)
        np.testing.assert_allclose(PUBLISHED, expected, atol=0.0007)


class TestFreeInductionDecay:
    """One 90° pulse and spins that do not interact: the transform of the line."""

    def test_the_first_samples_of_a_simulation_are_the_published_ones(self, stratified_decay):
        np.testing.assert_allclose(
            np.abs(transverse(stratified_decay))[:10], PUBLISHED, atol=0.0007
        )

    def test_stratified_sites_give_the_transform_of_the_line(self, stratified_decay):
        expected = 0.5j * line_transform(LONG_DECAY.time, 0.05, 0.5)
        # A sum over N quantiles is the integral over u plus aliases at N, whose ends weigh
        # 1/(2 · 2π (N - ν'(1) t)) each. With ν'(1) = (Γ/2) 2 arctan(20) (1 + 20²) = 30.5 MHz and
        # t = 300 µs both together are 1/(2π · 850) = 1.9e-4; 3e-4 leaves room for float32.
        np.testing.assert_allclose(transverse(stratified_decay), expected, atol=3e-4)

    def test_independent_sites_add_their_sampling_noise_and_no_more(self):
        signal = transverse(uncoupled("independent", LONG_DECAY))
        decay = line_transform(LONG_DECAY.time, 0.05, 0.5)
        noise = np.abs(signal - 0.5j * decay) ** 2
        # The mean of N phases of length 1/2 has variance (1 - |F|²)/(4N) about F/2.
        variance = (1 - decay**2) / (4 * N_SITES)
        # For Gaussian noise P(|noise|² > x · variance) ≤ 2 exp(-x/2) at each of 1886 samples.
        assert (noise[1:] < 2 * math.log(2 * 1886 / 1e-6) * variance[1:]).all()
        # Noise forgets itself like F, in 1/(π Γ) = 6 µs: some 25 independent values in 300 µs,
        # which leave its mean power uncertain by a fifth. Allow four times that.
        assert noise.mean() == pytest.approx(variance.mean(), rel=0.8)

    def test_nothing_is_left_along_z(self, stratified_decay):
        np.testing.assert_allclose(stratified_decay[:, 2], 0.0, atol=1e-7)


class TestEcho:
    """θ about x, 2θ about y, and spins that do not interact."""

    @pytest.mark.parametrize("draw", ["independent", "stratified"])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_they_refocus_completely_and_along_plus_y(self, draw, dtype):
        signal = uncoupled(draw, PAPER.sequence, dtype)
        # 1256 rotations, each rounded at random by one unit in the last place.
        tolerance = math.sqrt(1256) * np.finfo(dtype).eps
        assert PAPER.sequence.echo_sample == 1256
        np.testing.assert_allclose(signal[1256], [0.0, 0.5, 0.0], atol=tolerance)
        assert np.argmax(np.abs(transverse(signal))[628:]) == 628

    @pytest.mark.parametrize("decay_rate", [0.0, 0.0005])
    @pytest.mark.parametrize(
        "flip_angle", [pytest.param(math.pi / 2, marks=pytest.mark.slow), 1.1, 0.5]
    )
    def test_any_flip_angle_gives_the_three_parts_of_the_closed_form(self, flip_angle, decay_rate):
        sequence = spin_echo(DT, 628, 1882, flip_angle)
        signal = uncoupled("stratified", sequence, decay_rate=decay_rate)
        expected = uncoupled_echo(sequence.time, 628 * DT, flip_angle, 0.05, 0.5, decay_rate)
        # The bound of the free-induction decay above, with weights that add up to at most 1.
        np.testing.assert_allclose(transverse(signal), expected, atol=3e-4)

    def test_decay_multiplies_the_signal_by_its_exponential(self):
        # A 90°-180° pair never stores anything along z, so that all of it decays throughout.
        rate = 0.002
        with_decay = uncoupled("independent", PAPER.sequence, "float64", decay_rate=rate)
        without = uncoupled("independent", PAPER.sequence, "float64")
        expected = transverse(without) * np.exp(-2 * math.pi * rate * PAPER.sequence.time)
        # 1882 factors, each rounded.
        np.testing.assert_allclose(transverse(with_decay), expected, atol=1882 * 2.0**-53)


class TestUniformSpins:
    """All spins equal and on resonance: each feels α times itself, on any lattice."""

    @pytest.mark.parametrize(("kernel", "parameter"), [("gaussian", 2.0), ("rkky", 4.0)])
    def test_they_precess_at_the_difference_of_the_couplings_times_their_height(
        self, kernel, parameter
    ):
        in_plane, along, angle = 0.3, 0.1, 0.8
        sequence = Sequence(0.1, 101, (Pulse(0, angle),))
        expected = uniform_precession(sequence.time, angle, in_plane, along)
        errors = []
        for step in (1, 0.5):
            signal = simulate_lattices(
                np.zeros((1, 8, 8)),
                kernel_table(kernel, parameter, 8)[None],
                [(in_plane, in_plane, along)],
                sequence,
                step=step,
                dtype="float64",
            )[0]
            errors.append(np.abs(transverse(signal) - expected).max())
            np.testing.assert_allclose(signal[:, 2], math.cos(angle) / 2, atol=1e-3)
        # The error is of third order, an eighth at half the step, up to the rotation in a step:
        # 2π · 0.15 · 0.1 = 0.1 rad.
        assert errors[0] / errors[1] == pytest.approx(8, rel=0.1)

    def test_isotropic_couplings_do_nothing_to_them(self):
        sequence = spin_echo(0.1, 40, 101, 0.8)
        signal = simulate_lattices(
            np.zeros((1, 8, 8)),
            kernel_table("power", 2.0, 8)[None],
            [(0.3, 0.3, 0.3)],
            sequence,
            dtype="float64",
        )[0]
        # Every spin is parallel to its field: rounding only.
        first = [0.0, math.sin(0.8) / 2, math.cos(0.8) / 2]
        np.testing.assert_allclose(signal[:40], np.tile(first, (40, 1)), atol=1e-13)
        second = sequence.pulses[1].matrix() @ first
        np.testing.assert_allclose(signal[40:], np.tile(second, (61, 1)), atol=1e-13)

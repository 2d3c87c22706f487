"""The laws that curves are drawn from."""

import math
from dataclasses import replace

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr.errors import InputError
from latent_nmr.physics.kernels import distance_grid, kernel_table
from latent_nmr.physics.parameters import UniformLaw, challenge_2020, challenge_2021
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.simulate import Simulation, draw_parameters

PAPER_LAW = get_preset("paper").law
assert isinstance(PAPER_LAW, UniformLaw)
RANGES = {"gaussian": (8, 32), "power": (1, 3), "rkky": (13, 52)}
# ξ² = N w/(πα) for the Gaussian and 8 N w/(π²α) for RKKY: the factor of N w/α.
SPREAD = {"gaussian": 1 / math.pi, "rkky": 8 / math.pi**2}
CHALLENGES_2021 = {"challenge2021-gauss": "gaussian", "challenge2021-rkky": "rkky"}

# Drawing compiles on its first call, which would look like a flaky deadline.
seeds_and_indices = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def many():
    """Parameters of the first 600 curves of one data set."""
    return draw_parameters(Simulation("paper", seed=1), range(600))[1]


def largest_gap(values, cumulative):
    """Kolmogorov's distance between a sample and the law it should follow."""
    expected = cumulative(np.sort(values))
    ranks = np.arange(len(values) + 1) / len(values)
    return max(np.abs(expected - ranks[1:]).max(), np.abs(expected - ranks[:-1]).max())


def allowed_gap(n_values):
    """Gap that one sample in a million exceeds (Dvoretzky, Kiefer and Wolfowitz)."""
    return math.sqrt(math.log(2e6) / (2 * n_values))


class TestUniformLaw:
    """`paper`: what differs from curve to curve."""

    @seeds_and_indices
    @given(seed=st.integers(0, 2**31 - 1), index=st.integers(0, 10**6))
    def test_every_curve_obeys_the_ranges_of_the_paper(self, seed, index):
        _, [curve] = draw_parameters(Simulation("paper", seed=seed), [index])
        in_plane, other, along = curve.couplings
        assert in_plane == other
        assert 0.01 <= in_plane <= 0.1
        assert 0.01 <= along <= 0.1
        assert 0.1 <= sum(curve.couplings) <= 0.3
        lowest, highest = RANGES[curve.kernel]
        assert lowest <= curve.kernel_parameter <= highest
        assert curve.decay_rate == 0.0

    @seeds_and_indices
    @given(index=st.integers(0, 10**9))
    def test_kernels_take_turns(self, index):
        assert PAPER_LAW.kernel_of(index) == ("gaussian", "power", "rkky")[index % 3]

    @seeds_and_indices
    @given(
        seed=st.integers(0, 2**31 - 1),
        indices=st.lists(st.integers(0, 1000), min_size=2, max_size=6),
    )
    def test_a_curve_is_the_same_in_whatever_company(self, seed, indices):
        simulation = Simulation("paper", seed=seed)
        together = draw_parameters(simulation, indices)[1]
        alone = [draw_parameters(simulation, [index])[1][0] for index in indices]
        assert together == alone

    def test_curves_and_seeds_differ(self, many):
        assert len(set(many)) == len(many)
        other_seed = draw_parameters(Simulation("paper", seed=2), range(20))[1]
        assert not set(other_seed) & set(many)

    @pytest.mark.parametrize("kernel", RANGES)
    def test_the_kernel_parameter_is_uniform_in_its_range(self, many, kernel):
        lowest, highest = RANGES[kernel]
        drawn = np.array([c.kernel_parameter for c in many if c.kernel == kernel])
        gap = largest_gap(drawn, lambda x: (x - lowest) / (highest - lowest))
        assert gap < allowed_gap(len(drawn))

    def test_the_couplings_are_uniform_over_the_allowed_region(self, many):
        # For a given α_x the strength 2 α_x + α_z ≥ 0.1 MHz leaves α_z a stretch of 2 α_x up to
        # α_x = 0.045 MHz and all of its 0.09 MHz above; the upper bound of 0.3 cuts nothing.
        def area(a):
            low = np.minimum(a, 0.045)
            return low**2 - 0.01**2 + 0.09 * np.maximum(a - 0.045, 0)

        in_plane = np.array([c.couplings[0] for c in many])
        assert largest_gap(in_plane, lambda a: area(a) / area(0.1)) < allowed_gap(len(many))
        along = np.array([c.couplings[2] for c in many])

        # For a given α_z, α_x runs from (0.1 - α_z)/2, at least 0.01, to 0.1 MHz: up to
        # α_z = 0.08 MHz a stretch of 0.05 + α_z/2, and all of its 0.09 MHz above.
        def other_area(z):
            low = np.minimum(z, 0.08)
            stretch = 0.05 * (low - 0.01) + (low**2 - 0.01**2) / 4
            return stretch + 0.09 * np.maximum(z - 0.08, 0)

        assert largest_gap(along, lambda z: other_area(z) / other_area(0.1)) < allowed_gap(
            len(many)
        )

    def test_the_kernel_parameter_knows_nothing_of_the_couplings(self, many):
        scaled = [
            (c.kernel_parameter - RANGES[c.kernel][0]) / np.ptp(RANGES[c.kernel]) for c in many
        ]
        for component in (0, 2):
            drawn = [c.couplings[component] for c in many]
            # Five standard deviations of the correlation of 600 independent pairs.
            assert abs(np.corrcoef(scaled, drawn)[0, 1]) < 5 / math.sqrt(len(many))

    def test_a_strength_that_no_coupling_reaches_is_refused(self):
        impossible = replace(PAPER_LAW, strength_range=(0.5, 0.6))
        with pytest.raises(
            InputError,
            match=r"strength_range must allow some.*64 draws.*\(0\.5, 0\.6\) MHz\. Widen",
        ):
            impossible.draw(jax.random.key(0), 0, 100)


@pytest.fixture(scope="module")
def challenge():
    """Parameters of the first 600 curves of each challenge, by its name."""
    names = [*CHALLENGES_2021, "challenge2020"]
    return {name: draw_parameters(Simulation(name, seed=1), range(600))[1] for name in names}


def own(curves, name):
    """One of the challenge's own parameters of all curves."""
    return np.array([dict(curve.challenge)[name] for curve in curves])


def assert_uniform(values, lowest, highest):
    assert (values >= lowest).all()
    assert (values <= highest).all()
    gap = largest_gap(values, lambda x: (x - lowest) / (highest - lowest))
    assert gap < allowed_gap(len(values))


class TestChallenge2021Law:
    """α ~ U(0, 20), w ~ U(0.075, 0.2), d = 6 − 2 log₁₀ U(0, 1)."""

    @pytest.mark.parametrize(("name", "kernel"), CHALLENGES_2021.items())
    def test_strength_width_and_decay_follow_their_laws(self, challenge, name, kernel):
        curves = challenge[name]
        assert {curve.kernel for curve in curves} == {kernel}
        alpha, xi, d = (own(curves, key) for key in ("alpha", "xi", "d"))
        assert (alpha > 0).all()
        assert_uniform(alpha, 0, 20)
        # Rounded, because ξ is: a draw at either end may come out a last digit beyond it.
        width = xi**2 * alpha / (100**2 * SPREAD[kernel])
        assert_uniform(np.round(width, 6), 0.075, 0.2)
        assert (d >= 6).all()
        assert_uniform(10 ** ((6 - d) / 2), 0, 1)

    @pytest.mark.parametrize("name", CHALLENGES_2021)
    def test_the_three_know_nothing_of_each_other(self, challenge, name):
        curves = challenge[name]
        alpha, xi, d = (own(curves, key) for key in ("alpha", "xi", "d"))
        for a, b in ((alpha, xi**2 * alpha), (alpha, d), (xi**2 * alpha, d)):
            # Five standard deviations of the correlation of 600 independent pairs.
            assert abs(np.corrcoef(a, b)[0, 1]) < 5 / math.sqrt(len(curves))

    @pytest.mark.parametrize(("name", "kernel"), CHALLENGES_2021.items())
    def test_couplings_and_decay_are_the_translation_of_the_challenges_own(
        self, challenge, name, kernel
    ):
        for curve in challenge[name][:20]:
            strength = dict(curve.challenge)
            assert list(strength) == ["alpha", "xi", "d"]
            assert curve.kernel_parameter == strength["xi"]
            assert curve == challenge_2021(kernel, *strength.values(), n_edge=100)

    def test_the_coupling_is_alpha_kappa_over_2n_with_the_sign_of_the_kernel(self):
        for kernel, xi, sign in (("gaussian", 6.89, 1), ("rkky", 15.45, -1)):
            curve = challenge_2021(kernel, 12.499, xi, 6.07)
            r = distance_grid(100)[distance_grid(100) > 0]
            x = 2 * r / xi
            values = np.exp(-((r / xi) ** 2)) if sign > 0 else (x * np.cos(x) - np.sin(x)) / x**4
            # A sum of 10⁴ terms, in another order.
            expected = pytest.approx(12.499 * values.sum() / (2 * 100**2), rel=1e-12)
            assert curve.couplings == (expected, expected, 0.0)
            assert np.sign(curve.couplings[0]) == sign
            assert curve.decay_rate == pytest.approx(1.25 * 10 ** (-6.07 / 2), rel=1e-14)

    @pytest.mark.parametrize("name", CHALLENGES_2021)
    def test_a_smaller_lattice_keeps_the_share_of_it_that_a_kernel_covers(self, challenge, name):
        _, [small] = draw_parameters(Simulation(name, seed=1, n_edge=20), [4])
        large = challenge[name][4]
        assert small.kernel_parameter == pytest.approx(large.kernel_parameter / 5, rel=1e-14)
        assert dict(small.challenge)["alpha"] == dict(large.challenge)["alpha"]
        table = kernel_table(small.kernel, small.kernel_parameter, 20)
        alpha = dict(small.challenge)["alpha"]
        assert small.couplings[0] == pytest.approx(alpha * table.sum() / (2 * 20**2), rel=1e-14)


class TestChallenge2020Law:
    """α ~ U(0, 0.2), ξ ~ U(0, 20), p ~ U(2, 4), d ~ U(3, 6)."""

    @pytest.mark.parametrize(
        ("name", "lowest", "highest"),
        [("alpha", 0, 0.2), ("xi", 0, 20), ("p", 2, 4), ("d", 3, 6)],
    )
    def test_its_parameters_are_uniform(self, challenge, name, lowest, highest):
        assert_uniform(own(challenge["challenge2020"], name), lowest, highest)

    def test_couplings_and_decay_are_the_translation_of_the_challenges_own(self, challenge):
        for curve in challenge["challenge2020"][:20]:
            strength = dict(curve.challenge)
            assert list(strength) == ["alpha", "xi", "p", "d"]
            assert curve == challenge_2020(*strength.values())
            assert (curve.kernel, curve.kernel_parameter) == ("power", strength["p"])
            assert curve.couplings == (strength["alpha"] / 2, strength["alpha"] / 2, 0.0)
            expected = 0.5 * 10 ** -strength["d"]
            assert curve.decay_rate == pytest.approx(expected, rel=1e-14)

    def test_its_length_has_no_effect_on_the_curve(self):
        one, other = challenge_2020(0.1, 2.0, 3.0, 4.0), challenge_2020(0.1, 19.0, 3.0, 4.0)
        assert one[:4] == other[:4]
        assert one.challenge != other.challenge


@pytest.mark.parametrize("name", [*CHALLENGES_2021, "challenge2020"])
def test_a_curve_of_a_challenge_is_the_same_in_whatever_company(challenge, name):
    indices = [17, 3, 590]
    drawn = draw_parameters(Simulation(name, seed=1), indices)[1]
    assert drawn == [challenge[name][index] for index in indices]
    assert len(set(challenge[name])) == 600

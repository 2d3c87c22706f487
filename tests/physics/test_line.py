"""The cut line, Lorentzian or Gaussian, and the three ways to draw it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from latent_nmr.errors import InputError
from latent_nmr.physics.line import (
    Line,
    MeasuredLine,
    draw_frequencies,
    gaussian_quantile,
    lorentzian_quantile,
)

FWHM, CUTOFF, N_EDGE = 0.05, 0.5, 100
N_SITES = N_EDGE**2


def cumulative(frequency):
    """Fraction of the cut line below `frequency`, float64."""
    frequency = np.asarray(frequency, np.float64)
    return 0.5 + np.arctan(2 * frequency / FWHM) / (2 * np.arctan(2 * CUTOFF / FWHM))


def gaussian_cumulative(frequency, cutoff):
    """The same of the cut Gaussian, whose σ is Γ/√(8 ln 2)."""
    root_two_sigma = np.sqrt(2) * FWHM / np.sqrt(8 * np.log(2))
    frequency = np.asarray(frequency, np.float64)
    return 0.5 + erf(frequency / root_two_sigma) / (2 * erf(cutoff / root_two_sigma))


def field(seed, draw, shape="lorentzian"):
    line = Line(FWHM, CUTOFF, draw, shape)
    return np.asarray(draw_frequencies(jax.random.key(seed), N_EDGE, line))


class TestQuantile:
    """ν(u), the inverse of the line's cumulative distribution."""

    def test_it_inverts_the_cumulative_distribution(self):
        with jax.enable_x64(True):
            u = np.linspace(0, 1, 101)
            back = cumulative(lorentzian_quantile(jnp.asarray(u), FWHM, CUTOFF))
        np.testing.assert_allclose(back, u, atol=1e-14)

    def test_the_ends_are_the_cutoff_and_the_median_is_zero(self):
        ends = lorentzian_quantile(jnp.array([0.0, 0.5, 1.0]), FWHM, CUTOFF)
        # tan is steep at the ends: dν/du = 30 MHz there times the rounding of u, 6e-8.
        np.testing.assert_allclose(ends, [-CUTOFF, 0.0, CUTOFF], atol=2e-6)

    def test_the_density_at_half_the_width_is_half_the_peak(self):
        with jax.enable_x64(True):
            spread = jax.grad(lambda u: lorentzian_quantile(u, FWHM, CUTOFF))
            density = [1 / spread(jnp.asarray(cumulative(nu))) for nu in (0.0, FWHM / 2)]
        assert density[1] / density[0] == pytest.approx(0.5, rel=1e-12)


class TestGaussianQuantile:
    """ν(u) of the Gaussian, cut within its width, in its tail and where it has died away."""

    @pytest.mark.parametrize("cutoff", [0.02, 0.08, CUTOFF])
    def test_it_inverts_the_cumulative_distribution(self, cutoff):
        with jax.enable_x64(True):
            u = np.linspace(0.001, 0.999, 101)
            frequencies = gaussian_quantile(jnp.asarray(u), FWHM, cutoff)
        # An inverse good to a few roundings of its argument, which 2u - 1 doubles.
        np.testing.assert_allclose(gaussian_cumulative(frequencies, cutoff), u, atol=1e-14)

    @pytest.mark.parametrize("cutoff", [0.02, 0.08, CUTOFF])
    def test_the_ends_are_the_cutoff_and_the_median_is_zero(self, cutoff):
        with jax.enable_x64(True):
            ends = gaussian_quantile(jnp.array([0.0, 0.5, 1.0]), FWHM, cutoff)
        # dν/du at 0.08 MHz, where the density is a thousandth of its peak of 19/MHz, is 50 MHz
        # times the rounding of u.
        np.testing.assert_allclose(ends, [-cutoff, 0.0, cutoff], atol=1e-12)

    def test_the_density_at_half_the_width_is_half_the_peak(self):
        with jax.enable_x64(True):
            spread = jax.grad(lambda u: gaussian_quantile(u, FWHM, CUTOFF))
            points = [gaussian_cumulative(nu, CUTOFF) for nu in (0.0, FWHM / 2)]
            density = [1 / spread(jnp.asarray(u)) for u in points]
        assert density[1] / density[0] == pytest.approx(0.5, rel=1e-12)

    def test_the_shape_of_a_line_decides_which_quantile_it_has(self):
        u = jnp.linspace(0.1, 0.9, 9)
        for shape, law in (("lorentzian", lorentzian_quantile), ("gaussian", gaussian_quantile)):
            line = Line(FWHM, 0.1, shape=shape)
            np.testing.assert_array_equal(line.quantile(u), law(u, FWHM, 0.1))


class TestDrawing:
    """Lattices of frequencies."""

    def test_stratified_sites_hold_exactly_the_quantiles(self):
        quantiles = (np.arange(N_SITES) + 0.5) / N_SITES
        # cumulative() undoes tan, so what is left is float32 rounding: a few parts in 2^24 of u
        # (four roundings of at most one half each, doubled by 2u - 1), against 1e-4 between levels.
        np.testing.assert_allclose(
            cumulative(np.sort(field(0, "stratified").ravel())), quantiles, atol=8 * 2.0**-24
        )

    def test_stratified_sites_of_a_gaussian_hold_its_quantiles(self):
        quantiles = (np.arange(N_SITES) + 0.5) / N_SITES
        sites = np.sort(field(0, "stratified", "gaussian").ravel())
        # As above; the inverse error function in float32 is good to a few units more.
        np.testing.assert_allclose(
            gaussian_cumulative(sites, CUTOFF), quantiles, atol=32 * 2.0**-24
        )

    def test_independent_sites_of_a_gaussian_follow_it(self):
        sampled = np.sort(gaussian_cumulative(field(0, "independent", "gaussian"), CUTOFF).ravel())
        gap = np.abs(sampled - np.arange(N_SITES) / N_SITES).max()
        # The bounds of the Lorentzian below.
        assert 0.01 / np.sqrt(N_SITES) < gap - 1 / N_SITES < np.sqrt(np.log(2e6) / (2 * N_SITES))

    def test_stratified_fields_differ_in_the_order_of_the_sites_only(self):
        first, second = field(0, "stratified"), field(1, "stratified")
        assert not np.array_equal(first, second)
        np.testing.assert_array_equal(np.sort(first.ravel()), np.sort(second.ravel()))

    @pytest.mark.parametrize("draw", ["independent", "frozen"])
    def test_independent_sites_follow_the_line(self, draw):
        sampled = np.sort(cumulative(field(0, draw)).ravel())
        gap = np.abs(sampled - np.arange(N_SITES) / N_SITES).max()
        # Dvoretzky-Kiefer-Wolfowitz: P(gap > g) ≤ 2 exp(-2 N g²) = 1e-6 at the upper bound. The
        # lower one is a hundredth of the usual 1/√N: quantiles would be far closer than that.
        assert 0.01 / np.sqrt(N_SITES) < gap - 1 / N_SITES < np.sqrt(np.log(2e6) / (2 * N_SITES))

    @pytest.mark.parametrize("draw", ["independent", "stratified"])
    def test_neighbours_know_nothing_of_each_other(self, draw):
        u = cumulative(field(0, draw))
        for axis in (0, 1):
            correlation = np.corrcoef(u.ravel(), np.roll(u, 1, axis).ravel())[0, 1]
            # Five standard deviations of the correlation of N independent pairs.
            assert abs(correlation) < 5 / np.sqrt(N_SITES)

    @pytest.mark.parametrize("draw", ["independent", "stratified", "frozen"])
    def test_the_key_decides_the_field(self, draw):
        np.testing.assert_array_equal(field(3, draw), field(3, draw))
        assert not np.array_equal(field(3, draw), field(4, draw))

    @pytest.mark.parametrize("draw", ["independent", "stratified"])
    def test_the_spins_are_the_same_where_jax_computes_in_float64(self, draw):
        single = field(0, draw)
        with jax.enable_x64(True):
            double = draw_frequencies(jax.random.key(0), N_EDGE, Line(FWHM, CUTOFF, draw))
        assert double.dtype == np.float32
        np.testing.assert_array_equal(double, single)

    @pytest.mark.parametrize(("shape", "cutoff"), [("lorentzian", 0.1), ("gaussian", 0.04)])
    def test_no_frequency_lies_beyond_the_cutoff(self, shape, cutoff):
        line = Line(FWHM, cutoff, shape=shape)
        narrow = draw_frequencies(jax.random.key(0), N_EDGE, line)
        # One rounding of the cutoff itself.
        assert 0.99 * cutoff < np.abs(narrow).max() <= cutoff * (1 + 2.0**-22)


class TestLine:
    """The line's own checks."""

    @pytest.mark.parametrize("value", [0.0, -0.05, float("nan"), "wide"])
    @pytest.mark.parametrize("name", ["fwhm", "cutoff"])
    def test_a_width_that_is_no_positive_number_is_refused(self, name, value):
        with pytest.raises(InputError, match=rf"{name} must be > 0 MHz, but is {value!r}\. [GRL]"):
            Line(**{name: value})

    def test_an_unknown_shape_is_named_with_the_nearest_one(self):
        with pytest.raises(
            InputError,
            match=r"line shape must be one of lorentzian, gaussian.*'gauss'.*'gaussian'\?",
        ):
            Line(shape="gauss")

    def test_an_unknown_draw_is_named_with_the_nearest_one(self):
        with pytest.raises(
            InputError,
            match=r"line draw must be one of independent, stratified, frozen.*'stratify'.*"
            r"'stratified'\?",
        ):
            Line(draw="stratify")


class TestMeasuredLine:
    """A line given as a histogram."""

    EDGES, COUNTS = (-0.2, -0.1, 0.0, 0.1, 0.3), (1, 0, 2, 5)

    def drawn(self, draw, seed=0):
        line = MeasuredLine(self.EDGES, self.COUNTS, draw)
        return np.asarray(draw_frequencies(jax.random.key(seed), N_EDGE, line)).ravel()

    def test_stratified_sites_fill_the_bins_in_their_proportions(self):
        counts, _ = np.histogram(self.drawn("stratified"), self.EDGES)
        # Quantiles sit at odd multiples of 1/2N: a bin's share is met to one site.
        np.testing.assert_allclose(counts, N_SITES * np.array(self.COUNTS) / 8, atol=1)

    def test_independent_sites_do_so_within_their_noise(self):
        counts, _ = np.histogram(self.drawn("independent"), self.EDGES)
        share = np.array(self.COUNTS) / 8
        # Five binomial standard deviations.
        spread = 5 * np.sqrt(N_SITES * share * (1 - share))
        assert (np.abs(counts - N_SITES * share) <= spread).all()

    def test_inside_a_bin_the_line_is_uniform(self):
        inside = np.sort(self.drawn("stratified"))[-N_SITES * 5 // 8 + 1 :]
        steps = np.diff(inside)
        # 0.2 MHz shared by 5/8 of the sites, up to float32 rounding of numbers near 0.3.
        np.testing.assert_allclose(steps, 0.2 / (N_SITES * 5 / 8), atol=4 * 2.0**-25)

    def test_an_empty_bin_between_full_ones_stays_empty(self):
        values = self.drawn("independent", seed=3)
        assert not ((values > -0.0999999) & (values < -1e-7)).any()

    @pytest.mark.parametrize(
        ("edges", "counts", "words"),
        [
            ((0.0, 0.1), (1, 2), "one more than counts, but there are 2 for 2"),
            ((0.0,), (), "one more than counts"),
            ((0.0, 0.2, 0.1), (1, 2), "edges must rise"),
            ((0.0, 0.1, 0.2), (0, 0), "must not all be zero"),
            ((0.0, 0.1, 0.2), (1, -2), "line count must be >= 0, but is -2"),
            ((0.0, np.nan, 0.2), (1, 2), "line edge must be a finite number"),
        ],
    )
    def test_what_is_no_histogram_is_refused(self, edges, counts, words):
        with pytest.raises(InputError, match=words):
            MeasuredLine(edges, counts)

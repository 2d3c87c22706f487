"""Multi-scale polynomial features: least squares on the sections of a window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import check_estimator

import latent_nmr as ln
from latent_nmr.analysis.polynomial import SAMPLE_INTERVAL, SectionPolynomials, cut
from latent_nmr.errors import InputError


def random_curves(n_curves=5, n_samples=400, seed=0):
    """Smooth curves with a little noise."""
    draw = np.random.default_rng(seed)
    t = np.linspace(-1, 1, n_samples)
    height, width = draw.uniform(0.2, 1, n_curves), draw.uniform(0.05, 0.5, n_curves)
    smooth = height[:, None] * np.exp(-((t / width[:, None]) ** 2))
    return smooth + 0.01 * draw.standard_normal((n_curves, n_samples))


class TestFeatures:
    """What `transform` gives."""

    def test_the_default_gives_76_features_named_by_division_section_and_power(self):
        model = SectionPolynomials().fit(random_curves())
        names = model.get_feature_names_out().tolist()
        assert len(names) == 76 == model.transform(random_curves()).shape[1]
        assert names[:5] == ["n4_s0_c0", "n4_s0_c1", "n4_s0_c2", "n4_s0_c3", "n4_s1_c0"]
        assert names[16] == "n5_s0_c0"
        assert names[-1] == "n10_s9_c3"

    @given(
        n_samples=st.integers(40, 410),
        sections=st.lists(st.integers(1, 10), min_size=1, max_size=3, unique=True),
        seed=st.integers(0, 100),
    )
    def test_every_coefficient_is_that_of_numpy_polyfit(self, n_samples, sections, seed):
        curves = random_curves(3, n_samples, seed)
        model = SectionPolynomials(tuple(sections), degree=2)
        found = model.fit_transform(curves)
        column = 0
        for count in sections:
            for rows in np.array_split(np.arange(n_samples), count):
                x = (rows - rows.mean()) * SAMPLE_INTERVAL
                wanted = np.polyfit(x, curves[:, rows].T, 2)[::-1].T
                # Relative to what the coefficient can be at this scale of x: one that is zero
                # by accident has no digits to agree on.
                scale = np.abs(curves).max() / max(np.ptp(x) / 2, 1e-9) ** np.arange(3)
                error = np.abs(found[:, column : column + 3] - wanted)
                assert np.all(error <= 1e-8 * np.maximum(np.abs(wanted), scale))
                column += 3
        assert column == found.shape[1]

    def test_cubic_coefficients_agree_with_polyfit_to_1e_8_of_themselves(self):
        curves = random_curves(20)
        found = SectionPolynomials().fit_transform(curves)
        wanted = []
        for count in (4, 5, 10):
            for rows in np.array_split(np.arange(400), count):
                x = (rows - rows.mean()) * SAMPLE_INTERVAL
                wanted.append(np.polyfit(x, curves[:, rows].T, 3)[::-1].T)
        np.testing.assert_allclose(found, np.concatenate(wanted, axis=1), rtol=1e-8)

    def test_dtype_is_kept_and_single_precision_loses_nothing_but_its_digits(self):
        curves = random_curves()
        model = SectionPolynomials().fit(curves)
        single = model.transform(curves.astype(np.float32))
        assert single.dtype == np.float32
        wanted = model.transform(curves.astype(np.float32).astype(np.float64))
        np.testing.assert_allclose(single, wanted, rtol=1e-6)

    def test_it_keeps_the_conventions_of_scikit_learn(self):
        # Checks come with one or two columns: one section, and a constant for it.
        check_estimator(SectionPolynomials((1,), degree=0))

    def test_the_package_offers_it(self):
        assert ln.SectionPolynomials is SectionPolynomials


class TestInverse:
    """Curves from coefficients."""

    @pytest.mark.parametrize("sections", [4, 5, 10])
    def test_piecewise_cubics_come_back_from_their_coefficients(self, sections):
        draw = np.random.default_rng(1)
        curve = np.concatenate(
            [
                np.polyval(draw.standard_normal(4), np.linspace(-1, 1, len(rows)))
                for rows in np.array_split(np.arange(403), sections)
            ]
        )[None]
        model = SectionPolynomials((4, 5, 10)).fit(curve)
        back = model.inverse_transform(model.transform(curve), sections=sections)
        np.testing.assert_allclose(back, curve, atol=1e-10)

    def test_more_sections_of_a_division_by_two_never_fit_worse(self):
        curves = random_curves()
        model = SectionPolynomials((5, 10)).fit(curves)
        Z = model.transform(curves)
        rms = [
            np.sqrt(np.mean((model.inverse_transform(Z, sections=n) - curves) ** 2, axis=1))
            for n in (5, 10)
        ]
        assert np.all(rms[1] < rms[0])
        np.testing.assert_array_equal(
            model.inverse_transform(Z), model.inverse_transform(Z, sections=10)
        )

    def test_a_division_that_was_not_fitted_is_refused(self):
        model = SectionPolynomials().fit(random_curves())
        with pytest.raises(InputError, match=r"sections must be one of 4, 5, 10, but is 3\."):
            model.inverse_transform(np.zeros((1, 76)), sections=3)
        with pytest.raises(InputError, match=r"one column per coefficient \(76\)"):
            model.inverse_transform(np.zeros((1, 75)))


class TestSections:
    """How a window is cut."""

    @given(n_samples=st.integers(1, 500), n_sections=st.integers(1, 20))
    def test_sections_are_those_of_array_split(self, n_samples, n_sections):
        if n_sections > n_samples:
            return
        rows = np.arange(n_samples)
        for section, wanted in zip(
            cut(n_samples, n_sections), np.array_split(rows, n_sections), strict=True
        ):
            np.testing.assert_array_equal(rows[section.samples], wanted)

    def test_sections_shorter_than_the_polynomial_are_refused(self):
        with pytest.raises(InputError, match=r"degree \(3\), but 10 sections of 39 samples have 3"):
            SectionPolynomials().fit(np.zeros((2, 39)))
        SectionPolynomials().fit(np.zeros((2, 40)))

    @pytest.mark.parametrize(
        ("sections", "message"),
        [
            ((), "list of numbers"),
            ("45", "list of numbers"),
            (4, "list of numbers"),
            ((0,), "at least 1, but is 0"),
            ((4, 4), "each number once"),
        ],
    )
    def test_bad_lists_are_refused(self, sections, message):
        with pytest.raises(InputError, match=message):
            SectionPolynomials(sections).fit(np.zeros((2, 40)))

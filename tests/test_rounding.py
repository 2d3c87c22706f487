"""Ranges of data are checked up to rounding, wherever there is one."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from latent_nmr._rounding import beyond, cut, rounding_of
from latent_nmr.data.echo_features import EchoFeatures
from latent_nmr.errors import InputError, RangeWarning
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.many import fit_many
from latent_nmr.physics.kernels import tabulate

ULP = float(np.finfo(np.float32).eps)
N_COLUMNS = 6


def model(likelihood):
    return BetaVAE(
        hidden_layer_sizes=(4,), likelihood=likelihood, scale=1.0, max_epochs=1, random_state=0
    )


def rows(dtype=np.float32):
    """Curves in [0, 1] that reach both ends."""
    found = np.random.default_rng(0).random((60, N_COLUMNS)).astype(dtype)
    found[0], found[1] = 0, 1
    return found


def with_value(value, dtype=np.float32):
    X = rows(dtype)
    X[3, 2] = value
    return X


@pytest.fixture(scope="module", params=["gaussian", "bernoulli"])
def fitted(request):
    return model(request.param).fit(rows())


class TestRange:
    """The range itself."""

    @given(
        st.floats(-1024, 1024, width=32),
        st.floats(2**-10, 1024, width=32),
        st.integers(0, 8),
        st.sampled_from([-1, 1]),
    )
    def test_a_few_units_in_the_last_place_are_inside(self, low, width, n_ulps, side):
        low, high = np.float32(low), np.float32(low + width)
        end = high if side > 0 else low
        value = np.float32(end + side * n_ulps * np.spacing(max(abs(low), abs(high))))
        values = np.array([low, value, high])
        assert beyond(values, low, high, rounding_of(values)) is None
        kept = cut(values, low, high)
        assert kept.min() == low
        assert kept.max() == high
        assert (kept is values) == (low <= value <= high)

    @given(st.floats(1e-5, 1e6), st.sampled_from([-1, 1]))
    def test_anything_more_is_outside_and_the_farthest_is_named(self, distance, side):
        worst = 0.5 + side * (0.5 + distance)
        values = np.array([0.2, worst, 0.5 + side * (0.5 + distance / 2)])
        assert beyond(values, 0, 1, rounding_of(values)) == worst

    @pytest.mark.parametrize(
        ("dtype", "ulp"),
        [(np.float16, 2**-10), (np.float32, 2**-23), (np.float64, 2**-23), (int, 2**-23)],
    )
    def test_rounding_is_that_of_the_precision_and_at_least_of_float32(self, dtype, ulp):
        assert ulp <= rounding_of(np.ones(3, dtype)) <= 32 * ulp
        assert rounding_of([0.1, 0.2]) == rounding_of(np.ones(3, np.float32))


class TestScaledData:
    """What MinMaxScaler returns is in the range that it was asked for."""

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    @pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
    @pytest.mark.parametrize("offset", [0, 10])
    def test_a_model_takes_it_without_a_word(self, dtype, likelihood, offset):
        X = (offset + np.random.default_rng(1).random((60, N_COLUMNS))).astype(dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("error", RangeWarning)
            chain = make_pipeline(MinMaxScaler(), model(likelihood)).fit(X)
            assert np.isfinite(chain.score(X))

    def test_the_rounding_is_there(self):
        X = np.random.default_rng(0).random((300, 50), np.float32) + 10
        assert MinMaxScaler().fit_transform(X).max() > 1


class TestModels:
    """Every place of a model where data come in."""

    @pytest.mark.parametrize("value", [1 + ULP, 1 + 4 * ULP, -ULP, -3 * ULP])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_rounding_is_neither_refused_nor_warned_of(self, fitted, value, dtype):
        X = with_value(value, dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("error", RangeWarning)
            model(fitted.likelihood).fit(X)
            fit_many(X, seeds=[0], model=model(fitted.likelihood), way="threads")
            scores = fitted.score_samples(X), fitted.score_samples(np.clip(X, 0, 1))
        np.testing.assert_allclose(*scores, rtol=1e-5)

    @pytest.mark.parametrize("value", [1 + 1e-4, 1.5, -1e-4, -2.0])
    def test_more_is_refused_or_warned_of_with_its_digits(self, fitted, value):
        X = with_value(value)
        digits = f"{np.float32(value):.7g}".replace(".", r"\.")
        if fitted.likelihood == "bernoulli":
            for call in (model("bernoulli").fit, fitted.score_samples):
                with pytest.raises(
                    InputError, match=rf"X must lie in \[0, 1\].* holds {digits}\. "
                ):
                    call(X)
        else:
            with pytest.warns(RangeWarning, match=rf"spans .*{digits}") as said:
                model("gaussian").fit(X)
            assert said[0].filename == __file__
            assert np.isfinite(fitted.score_samples(X)).all()


class TestEchoFeatures:
    """|M| is never negative, but for rounding."""

    TIME = np.arange(100) * 0.5

    def curves(self):
        return 0.5 * np.abs(np.cos(np.outer(np.arange(1, 6), self.TIME) / 20)).astype(np.float32)

    def test_zeros_that_rounding_made_negative_are_zeros(self):
        X = self.curves()
        X[2, 60] = 0
        features = EchoFeatures(self.TIME, "full").fit(X)
        rounded = X.copy()
        rounded[2, 60] = -ULP * X.max()
        found = features.transform(rounded)
        np.testing.assert_array_equal(found, features.transform(X))
        assert found.min() >= 0
        assert rounded[2, 60] < 0  # the argument is left alone

    def test_a_negative_curve_is_refused_at_the_sample(self):
        X = self.curves()
        X[1, 60], X[2, 61] = -1e-9, -0.2
        with pytest.raises(InputError, match=r"is -0\.2 in row 2 at sample 61"):
            EchoFeatures(self.TIME, "full").fit(X)

    @pytest.mark.parametrize("kind", [np.float32, lambda t: float(np.float32(t))])
    def test_the_echo_may_stand_at_the_last_sample_in_single_precision(self, kind):
        for n_time in (60, 63, 65, 98):  # of 0.3 µs: the last time rounds up
            time = np.arange(n_time) * 0.3
            assert kind(time[-1]) > time[-1]
            X = np.ones((3, n_time))
            features = EchoFeatures(time, "full", echo_time=kind(time[-1])).fit(X)
            assert features.transform(X).shape == X.shape


class TestKernelTables:
    """A table that ends where the farthest site is, in single precision."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_it_reaches_the_farthest_site(self, dtype):
        for n_edge in range(4, 40, 2):
            r = np.linspace(1, np.sqrt(2) * n_edge / 2, 200).astype(dtype)
            table = tabulate(np.stack([r, np.exp(-r)], axis=1), n_edge)
            assert table.max() == pytest.approx(np.exp(-1), rel=1e-5)

    def test_one_that_ends_before_it_is_refused(self):
        r = np.linspace(1, np.sqrt(2) * 5 * (1 - 1e-4), 200)
        with pytest.raises(InputError, match=r"must reach from r = 1 to 7\.071"):
            tabulate(np.stack([r, np.exp(-r)], axis=1), 10)

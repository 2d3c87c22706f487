"""RepeatPCA: what differs most between materials, compared with their repeats."""

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import special_ortho_group
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import _num_samples

import latent_nmr as ln
from latent_nmr.errors import InputError
from latent_nmr.models.repeat_pca import RepeatPCA, _fourth_powers
from latent_nmr.models.repeats import contrasts_within

LOUD, QUIET = np.eye(6)[0], np.eye(6)[1]


class Paired(RepeatPCA):
    """Every row with its neighbour: scikit-learn's checks know no groups."""

    def fit(self, X, y=None, *, groups=None):
        pairs = np.arange(_num_samples(X)) // 2
        return super().fit(X, y, groups=pairs if groups is None else groups)


def repeated(n_materials=200, n_repeats=2, seed=0, loud=3.0, quiet=0.3):
    """Rows whose materials differ along one quiet column, drowned in a loud one's noise."""
    rng = np.random.default_rng(seed)
    shift = rng.normal(size=(n_materials, 1, 1)) * quiet * QUIET
    noise = rng.normal(size=(n_materials, n_repeats, 6)) * (0.05 + loud * LOUD)
    groups = np.repeat(np.arange(n_materials), n_repeats)
    order = rng.permutation(len(groups))
    X = (shift + noise).reshape(-1, 6)[order]
    return X, groups[order], shift[groups[order], 0, 1]


@pytest.fixture(scope="module")
def fitted():
    X, groups, _ = repeated()
    return RepeatPCA(2).fit(X, groups=groups)


class TestDirections:
    """Generalised principal components."""

    def test_it_finds_what_pca_overlooks(self):
        X, groups, truth = repeated()
        first = RepeatPCA(1).fit(X, groups=groups).transform(X)[:, 0]
        loudest = PCA(1).fit_transform(X)[:, 0]
        assert abs(np.corrcoef(first, truth)[0, 1]) > 0.95
        assert abs(np.corrcoef(loudest, truth)[0, 1]) < 0.2

    @pytest.mark.parametrize("n_repeats", [2, 3, 5])
    def test_its_unit_is_the_scatter_between_repeats(self, n_repeats):
        X, groups, _ = repeated(3000 // n_repeats, n_repeats)
        model = RepeatPCA(3, shrinkage=1e-9).fit(X, groups=groups)
        Z = model.transform(X)
        for column in Z.T:
            of = [column[groups == material] for material in range(300)]
            within = np.mean([values.var(ddof=1) for values in of])
            assert within == pytest.approx(1, rel=0.25)  # 300 variances of χ²: 8 %
        np.testing.assert_allclose(
            np.cov(Z, rowvar=False), np.diag(model.variance_ratios_), atol=1e-9
        )
        assert (np.diff(model.variance_ratios_) <= 0).all()

    def test_with_noise_alike_in_all_directions_it_is_pca(self):
        rng = np.random.default_rng(0)
        X = np.repeat(rng.normal(size=(400, 5)) * [5, 3, 2, 1, 1], 2, axis=0)
        X += 0.1 * rng.normal(size=X.shape)
        # Shrunk all the way, so that the sample's noise is alike too.
        model = RepeatPCA(2, shrinkage=1).fit(X, groups=np.arange(800) // 2)
        spread = PCA(2).fit_transform(X)
        for ours, theirs in zip(model.transform(X).T, spread.T, strict=True):
            assert abs(np.corrcoef(ours, theirs)[0, 1]) == pytest.approx(1, abs=1e-9)

    def test_any_scale_of_a_column_gives_the_same_map(self):
        # What PCA lacks. Shrinkage knows the columns' units, so that none is left.
        X, groups, _ = repeated()
        scales = np.geomspace(0.1, 10, 6)
        plain, scaled = (
            RepeatPCA(2, shrinkage=1e-9).fit_transform(rows, groups=groups)
            for rows in (X, X * scales)
        )
        np.testing.assert_allclose(np.abs(plain), np.abs(scaled), rtol=1e-4, atol=1e-5)

    @settings(deadline=None, max_examples=20)
    @given(st.lists(st.integers(1, 5), min_size=4, max_size=8), st.integers(0, 99))
    def test_the_order_of_rows_changes_nothing(self, sizes, seed):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(len(sizes)), sizes)
        if sum(sizes) < len(sizes) + 2:  # one difference has no shrinkage
            return
        X = rng.normal(size=(len(groups), 4)) * [3, 2, 1, 0.5]
        order = rng.permutation(len(groups))
        plain = RepeatPCA(1).fit(X, groups=groups)
        turned = RepeatPCA(1).fit(X[order], groups=groups[order])
        # Sums of up to 40 rows in another order: some 1e-14, and less than ten times as much where
        # they cancel.
        assert turned.shrinkage_ == pytest.approx(plain.shrinkage_, rel=1e-11, abs=1e-12)
        np.testing.assert_allclose(turned.variance_ratios_, plain.variance_ratios_, rtol=1e-9)

    @pytest.mark.parametrize("n_features", [1, 3, 40])
    def test_of_pairs_the_shrinkage_is_that_of_their_differences(self, n_features):
        rng = np.random.default_rng(0)
        X, groups = rng.normal(size=(60, n_features)) * np.arange(1, n_features + 1), np.arange(60)
        differences = (X[:30] - X[30:]) / np.sqrt(2)
        wanted = ledoit_wolf_shrinkage(differences, assume_centered=True)
        model = RepeatPCA(1).fit(X, groups=groups % 30)
        assert model.shrinkage_ == pytest.approx(wanted, rel=1e-12)

    @pytest.mark.parametrize("n_repeats", [3, 7])
    def test_of_more_repeats_it_is_the_mean_over_rotations_of_their_contrasts(self, n_repeats):
        rng = np.random.default_rng(0)
        X, groups = rng.normal(size=(n_repeats, 5)) * [3, 2, 1, 1, 1], np.zeros(n_repeats, int)
        contrasts = contrasts_within(X, groups)
        turns = special_ortho_group(n_repeats - 1, seed=1).rvs(20_000)
        powers = np.sum(np.sum((turns @ contrasts) ** 2, axis=2) ** 2, axis=1)
        # Four standard errors of a mean.
        slack = 4 * powers.std() / np.sqrt(len(powers))
        assert _fourth_powers(X, groups) == pytest.approx(powers.mean(), abs=slack)

    @settings(deadline=None, max_examples=20)
    @given(st.lists(st.integers(1, 4), min_size=3, max_size=8), st.integers(0, 99))
    def test_contrasts_hold_the_whole_scatter_within_materials(self, sizes, seed):
        rng = np.random.default_rng(seed)
        groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
        X = rng.normal(size=(len(groups), 3))
        within = np.zeros((3, 3))
        for material in range(len(sizes)):
            own = X[groups == material]
            own = own - own.mean(axis=0)
            within += own.T @ own
        if max(sizes) == 1:
            return
        contrasts = contrasts_within(X, groups)
        assert len(contrasts) == len(X) - len(sizes)
        np.testing.assert_allclose(contrasts.T @ contrasts, within, atol=1e-12)


class TestContract:
    """A transformer with a way back."""

    def test_all_components_give_the_rows_back(self):
        X, groups, _ = repeated(40)
        model = RepeatPCA(6).fit(X, groups=groups)
        np.testing.assert_allclose(model.reconstruct(X), X, atol=1e-9)

    def test_decoded_points_are_encoded_where_they_were(self, fitted):
        Z = np.random.default_rng(1).normal(size=(5, 2))
        np.testing.assert_allclose(fitted.transform(fitted.inverse_transform(Z)), Z, atol=1e-9)

    def test_the_mean_of_the_decoded_row_falls_along_each_axis(self, fitted):
        assert (fitted.components_.mean(axis=1) <= 0).all()

    def test_single_precision_is_kept(self, fitted):
        X = repeated()[0].astype(np.float32)
        Z = fitted.transform(X)
        assert Z.dtype == fitted.inverse_transform(Z).dtype == np.float32
        assert list(fitted.get_feature_names_out()) == ["RPC1", "RPC2"]

    def test_groups_may_be_words(self, fitted):
        X, groups, _ = repeated()
        words = [f"sample {number}" for number in groups]
        same = RepeatPCA(2).fit(X, groups=words)
        np.testing.assert_array_equal(same.filters_, fitted.filters_)

    def test_groups_arrive_through_a_pipeline(self):
        X, groups, _ = repeated()
        with sklearn.config_context(enable_metadata_routing=True):
            last = RepeatPCA(2).set_fit_request(groups=True)
            pipeline = make_pipeline(StandardScaler(), last).fit(X, groups=groups)
        alone = RepeatPCA(2).fit(StandardScaler().fit_transform(X), groups=groups)
        np.testing.assert_array_equal(pipeline[-1].filters_, alone.filters_)

    @pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
    def test_all_of_check_estimator_passes(self):
        check_estimator(Paired(1), expected_failed_checks={}, on_fail="raise")


class TestRefusals:
    """What it cannot be fitted to."""

    @pytest.mark.parametrize(
        ("groups", "message"),
        [
            (None, "groups must say which rows are repeats.*there are none"),
            (np.arange(8), "groups must say which rows are repeats.*each has one row"),
            (np.zeros(7), "groups must have one value per row"),
            ([0, 0, 1, 1, 2, 2, 3, np.nan], "groups must be known of every row"),
        ],
    )
    def test_rows_without_repeats(self, groups, message):
        with pytest.raises(InputError, match=message):
            RepeatPCA().fit(np.random.default_rng(0).random((8, 4)), groups=groups)

    def test_repeats_that_are_copies(self):
        X = np.repeat(np.random.default_rng(0).random((6, 4)), 2, axis=0)
        with pytest.raises(InputError, match="repeats of a material must differ"):
            RepeatPCA().fit(X, groups=np.arange(12) // 2)

    @pytest.mark.parametrize("shrinkage", ["ledoit_wolf", 1e-300])
    def test_a_single_pair(self, shrinkage):
        X, groups = np.random.default_rng(0).normal(size=(6, 4)), np.maximum(np.arange(6) - 1, 0)
        with pytest.raises(InputError, match=r"in all directions.* 1 differences of 4 columns"):
            RepeatPCA(1, shrinkage=shrinkage).fit(X, groups=groups)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"n_components": 7}, r"number of columns \(6\)"),
            ({"n_components": 5}, r"number of materials \(5\)"),
            ({"shrinkage": 0}, "shrinkage must be > 0"),
            ({"shrinkage": "oas"}, "shrinkage must be in"),
        ],
    )
    def test_parameters(self, options, message):
        X, groups, _ = repeated(5)
        with pytest.raises(InputError, match=message):
            RepeatPCA(**options).fit(X, groups=groups)


def test_it_is_a_public_name():
    assert ln.RepeatPCA is RepeatPCA

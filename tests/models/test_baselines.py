"""PCA, K-means and UMAP behind the verbs of BetaVAE."""

import contextlib
import copy
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from threadpoolctl import threadpool_limits

import latent_nmr as ln
from latent_nmr.errors import InputError
from latent_nmr.models._umap import load_umap
from latent_nmr.models.baselines import KMeansBaseline, PCABaseline, UMAPBaseline
from latent_nmr.models.beta_vae import BetaVAE

VERBS = ("fit", "transform", "fit_transform", "get_feature_names_out", "reconstruct")
BLOBS = np.array([[0.1, 0.2, 0.1], [0.5, 0.9, 0.4], [0.9, 0.3, 0.8]])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads of fits this small do little but wait for each other where cores are busy."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def pca(curves):
    return PCABaseline(3).fit(curves)


@pytest.fixture(scope="module")
def kmeans(curves):
    return KMeansBaseline(4, random_state=0).fit(curves)


def keep_programs():
    """Keep what umap-learn compiles anew in every process, where numba keeps the rest of it."""
    load_umap()
    from umap import umap_, utils

    functions = [utils.fast_knn_indices, utils.submatrix]
    for function in (*functions, umap_.smooth_knn_dist, umap_.compute_membership_strengths):
        with contextlib.suppress(RuntimeError):  # no folder can be written
            function.enable_caching()


@pytest.fixture(scope="module")
def umap(curves):
    keep_programs()
    with warnings.catch_warnings():
        # A seed must not bring the warning that it costs the other threads, nor any other.
        warnings.simplefilter("error")
        # Numba and umap-learn announce what they will change one day.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", ImportWarning)
        return UMAPBaseline(n_neighbors=5, random_state=0).fit(curves[:60])


def blobs(n_each=30, noise=0.01, seed=0):
    """Three clumps far apart, in turn, and which of them each row is of."""
    rng = np.random.default_rng(seed)
    kind = np.arange(3 * n_each) % 3
    return BLOBS[kind] + noise * rng.normal(size=(len(kind), 3)), kind


class TestContract:
    """What scikit-learn, and whoever swaps one method for another, asks of each."""

    @pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
    @pytest.mark.parametrize("estimator", [PCABaseline(), KMeansBaseline()])
    def test_all_of_check_estimator_passes_with_no_expected_failure(self, estimator):
        results = check_estimator(estimator, expected_failed_checks={}, on_fail="raise")
        skipped = [r["check_name"] for r in results if r["status"] == "skipped"]
        assert skipped in ([], ["check_array_api_input"])  # needs SCIPY_ARRAY_API=1
        assert sum(r["status"] == "passed" for r in results) >= 46

    @pytest.mark.slow
    def test_umap_is_exempt_because_a_rows_place_depends_on_its_company(self, umap, curves):
        # Of check_estimator, check_methods_subset_invariance fails, of which this is the short
        # form, and check_methods_sample_order_invariance; with the usual 15 neighbours, three
        # more, which fit 10 or 15 rows: check_n_features_in_after_fitting,
        # check_estimators_nan_inf and check_fit2d_1feature. All of it takes half a minute.
        fresh = curves[100:110]
        together, alone = umap.transform(fresh), umap.transform(fresh[:3])
        assert np.abs(together[:3] - alone).max() > 1e-7

    @pytest.mark.parametrize("kind", [PCABaseline, KMeansBaseline, UMAPBaseline, BetaVAE])
    def test_only_the_number_of_components_may_be_given_without_its_name(self, kind):
        assert kind(3).get_params()["n_components"] == 3
        with pytest.raises(TypeError, match="positional"):
            kind(3, 0)

    @pytest.mark.parametrize("name", ["pca", "kmeans"])
    def test_the_verbs_are_those_of_the_vae(self, name, request):
        model = request.getfixturevalue(name)
        for verb in (*VERBS, "inverse_transform"):
            assert callable(getattr(model, verb))
            assert callable(getattr(BetaVAE(), verb))

    @pytest.mark.parametrize("name", ["pca", "kmeans"])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_the_dtype_of_the_rows_is_kept_there_and_back(self, name, dtype, curves, request):
        model = clone(request.getfixturevalue(name))
        X = curves.astype(dtype)
        Z = model.fit_transform(X)
        assert Z.dtype == model.inverse_transform(Z).dtype == model.reconstruct(X).dtype == dtype
        assert model.reconstruct(X).shape == X.shape

    @pytest.mark.parametrize(
        ("name", "columns"),
        [
            ("pca", ["PC1", "PC2", "PC3"]),
            ("kmeans", ["K1", "K2", "K3", "K4"]),
            ("umap", ["UMAP1", "UMAP2"]),
        ],
    )
    def test_columns_are_named_after_the_method(self, name, columns, request):
        model = request.getfixturevalue(name)
        assert list(model.get_feature_names_out()) == columns
        # Those of the fit, not of a parameter set since.
        changed = copy.copy(model).set_params(n_components=7)
        assert list(changed.get_feature_names_out()) == columns
        with pytest.raises(NotFittedError):
            clone(model).get_feature_names_out()

    def test_they_stand_in_pipelines_and_frames(self, curves):
        for model in (PCABaseline(), KMeansBaseline(random_state=0)):
            framed = make_pipeline(StandardScaler(), model).set_output(transform="pandas")
            assert list(framed.fit_transform(curves).columns) == list(model.get_feature_names_out())

    def test_the_package_gives_them(self):
        assert (ln.PCABaseline, ln.KMeansBaseline, ln.UMAPBaseline) == (
            PCABaseline,
            KMeansBaseline,
            UMAPBaseline,
        )

    @pytest.mark.parametrize("model", [PCABaseline(), KMeansBaseline(), UMAPBaseline()])
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_rows_that_are_not_finite_are_named(self, model, value, curves):
        X = curves.copy()
        X[[7, 9], 3] = value
        with pytest.raises(InputError, match=r"row 7 has (nan|inf) in column 3\..*\(2 of 200\)"):
            clone(model).fit(X)

    @pytest.mark.parametrize("model", [PCABaseline, KMeansBaseline, UMAPBaseline])
    def test_components_must_be_a_count(self, model, curves):
        with pytest.raises(
            InputError, match=r"n_components must be a whole number .* is 0\. [GRL]"
        ):
            model(0).fit(curves)

    @pytest.mark.parametrize("model", [PCABaseline(1), KMeansBaseline(1), UMAPBaseline(1)])
    def test_one_row_is_no_set_to_fit(self, model, curves):
        with pytest.raises(ValueError, match=r"1 sample\(s\) .* a minimum of 2 is required"):
            clone(model).fit(curves[:1])

    @pytest.mark.parametrize("name", ["pca", "kmeans"])
    def test_points_of_other_width_are_refused(self, name, request):
        with pytest.raises(InputError, match=r"Z must have one column per component .* \(5, 9\)"):
            request.getfixturevalue(name).inverse_transform(np.zeros((5, 9)))


class TestPCA:
    """Projection on the directions of largest variance."""

    def test_reconstruction_is_the_projection_by_singular_vectors_in_float64(self, pca, curves):
        rows = curves.astype(np.float64)
        mean = rows.mean(axis=0)
        _, _, directions = np.linalg.svd(rows - mean, full_matrices=False)
        expected = mean + (rows - mean) @ directions[:3].T @ directions[:3]
        # Scores are of order one and rounded to float32, as is what is made of them.
        np.testing.assert_allclose(pca.reconstruct(curves), expected, rtol=0, atol=1e-6)

    def test_explained_variance_is_that_of_the_scores(self, pca, curves):
        scores = pca.transform(curves.astype(np.float64))
        np.testing.assert_allclose(scores.var(axis=0, ddof=1), pca.explained_variance_, rtol=1e-9)
        total = curves.astype(np.float64).var(axis=0, ddof=1).sum()
        ratio = pca.explained_variance_ / total
        np.testing.assert_allclose(pca.explained_variance_ratio_, ratio, rtol=1e-9)
        assert (np.diff(pca.explained_variance_) < 0).all()

    def test_components_are_orthonormal_and_lower_the_mean_of_the_row(self, pca):
        products = pca.components_ @ pca.components_.T
        np.testing.assert_allclose(products, np.eye(3), rtol=0, atol=1e-12)
        for unit in np.eye(3):
            up, down = pca.inverse_transform(np.array([unit, -unit]))
            assert up.mean() < down.mean()

    def test_fewer_rows_than_columns_give_the_same_projection(self, curves):
        few = curves[:10].astype(np.float64)
        _, values, _ = np.linalg.svd(few - few.mean(axis=0), full_matrices=False)
        model = PCABaseline(9).fit(few)
        np.testing.assert_allclose(model.explained_variance_, values[:9] ** 2 / 9, rtol=1e-9)
        # Ten rows span nine directions: nothing is lost.
        np.testing.assert_allclose(model.reconstruct(few), few, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("shape", [(700, 520), (520, 700)])
    def test_the_solver_is_exact_at_any_size(self, shape):
        # Where all directions matter alike, an iterative or randomised solver shows.
        X = np.random.default_rng(0).normal(size=shape)
        model = PCABaseline(2).fit(X)
        values = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
        np.testing.assert_allclose(
            model.explained_variance_, values[:2] ** 2 / (len(X) - 1), rtol=1e-9
        )

    def test_nothing_is_drawn_and_the_order_of_rows_does_not_matter(self, pca, curves):
        other = PCABaseline(3, random_state=1).fit(curves[::-1])
        np.testing.assert_allclose(other.components_, pca.components_, rtol=0, atol=1e-9)

    def test_more_components_than_rows_are_refused(self, curves):
        with pytest.raises(InputError, match=r"number of rows and of columns \(3 × 24\), but is 4"):
            PCABaseline(4).fit(curves[:3])


class TestKMeans:
    """Clusters around centroids."""

    def test_distances_are_those_to_the_centroids(self, kmeans, curves):
        away = curves[:, np.newaxis].astype(np.float64) - kmeans.cluster_centers_
        # Squares of order one cancel in float32: the root of 1e-7 remains where they agree.
        np.testing.assert_allclose(
            kmeans.transform(curves), np.linalg.norm(away, axis=2), rtol=1e-4, atol=3e-4
        )

    def test_the_way_back_is_the_nearest_centroid(self, kmeans, curves):
        away = curves[:, np.newaxis].astype(np.float64) - kmeans.cluster_centers_
        nearest = np.linalg.norm(away, axis=2).argmin(axis=1)
        np.testing.assert_array_equal(kmeans.labels_, nearest)
        np.testing.assert_array_equal(kmeans.predict(curves), nearest)
        expected = kmeans.cluster_centers_[nearest]
        np.testing.assert_array_equal(kmeans.reconstruct(curves), expected)

    def test_centroids_are_the_means_of_their_rows_and_inertia_is_what_they_leave(
        self, kmeans, curves
    ):
        rows = curves.astype(np.float64)
        means = np.array([rows[kmeans.labels_ == k].mean(axis=0) for k in range(4)])
        np.testing.assert_allclose(kmeans.cluster_centers_, means, rtol=0, atol=1e-6)
        left = np.sum((rows - means[kmeans.labels_]) ** 2)
        assert kmeans.inertia_ == pytest.approx(left, rel=1e-5)  # float32 sums

    def test_clumps_are_found_and_numbered_by_the_mean_of_their_centroid(self):
        X, kind = blobs()
        for seed in range(3):
            model = KMeansBaseline(3, random_state=seed).fit(X)
            by_mean = np.argsort(np.argsort(BLOBS.mean(axis=1)))
            np.testing.assert_array_equal(model.labels_, by_mean[kind])
            np.testing.assert_array_equal(model.predict(X), model.labels_)

    def test_the_same_seed_gives_the_same_clusters(self):
        # Noise without clusters has many local optima: another seed finds another.
        X = np.random.default_rng(0).uniform(size=(300, 5))
        one, same, other = (KMeansBaseline(9, random_state=seed).fit(X) for seed in (0, 0, 1))
        np.testing.assert_array_equal(one.labels_, same.labels_)
        assert (one.labels_ != other.labels_).any()

    def test_more_clusters_than_rows_are_refused(self, curves):
        with pytest.raises(InputError, match=r"at most the number of rows \(3\), .* is 4\. Ask"):
            KMeansBaseline(4).fit(curves[:3])


class TestUMAP:
    """A map without a way back; one small fit serves all tests."""

    @pytest.mark.slow
    def test_rows_of_the_fit_lie_where_the_fit_put_them(self, umap, curves):
        placed = umap.transform(curves[:60])
        assert placed.dtype == np.float32
        np.testing.assert_array_equal(placed, umap.embedding_)
        placed[:] = 0
        assert umap.embedding_.any()  # the caller's array is the caller's

    @pytest.mark.slow
    def test_a_seed_repeats_the_fit_on_this_machine(self, umap, curves):
        again = clone(umap).fit(curves[:60])
        np.testing.assert_array_equal(again.embedding_, umap.embedding_)

    @pytest.mark.slow
    def test_neighbours_stay_neighbours(self, umap, curves):
        def nearest(points):
            away = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
            return np.argsort(away, axis=1)[:, 1:6]

        pairs = zip(nearest(curves[:60]), nearest(umap.embedding_), strict=True)
        kept = np.mean([len(set(a) & set(b)) / 5 for a, b in pairs])
        # By chance 5 of 59 would be.
        assert kept > 3 * 5 / 59

    def test_it_says_that_it_is_not_reproducible(self):
        assert not UMAPBaseline.is_reproducible
        assert PCABaseline.is_reproducible
        assert KMeansBaseline.is_reproducible
        assert "NOT reproducible across machines" in UMAPBaseline.__doc__

    @pytest.mark.slow
    def test_there_is_no_way_back(self, umap):
        assert not hasattr(umap, "inverse_transform")
        assert not hasattr(umap, "reconstruct")

    @pytest.mark.parametrize("n_rows", [2, 15])
    def test_as_many_neighbours_as_rows_are_refused(self, n_rows, curves):
        with pytest.raises(InputError, match=rf"number of rows \({n_rows}\), but is 15\. Ask for"):
            UMAPBaseline().fit(curves[:n_rows])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"n_neighbors": 1}, "n_neighbors must be a whole number of at least 2"),
            ({"min_dist": 1.5}, "min_dist must be >= 0 and <= 1"),
            ({"n_components": 9, "n_neighbors": 3}, r"number of rows - 1 \(9\), but is 9"),
        ],
    )
    def test_parameters_out_of_range_are_refused(self, options, message, curves):
        with pytest.raises(InputError, match=message):
            UMAPBaseline(**options).fit(curves[:10] if len(options) > 1 else curves)

    def test_umap_learn_is_loaded_by_a_fit_only(self):
        code = (
            "import sys, latent_nmr as ln\nln.UMAPBaseline(n_neighbors=3)\n"
            "print([name for name in ('umap', 'numba', 'jax') if name in sys.modules])"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert run.stdout.strip() == "[]", run.stderr

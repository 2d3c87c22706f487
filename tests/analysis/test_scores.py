"""Scores of a representation: perfect, useless and in between."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, r2_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from latent_nmr.analysis.chance import chance_scores
from latent_nmr.analysis.scores import (
    N_NEIGHBOURS,
    Parts,
    forest_scores,
    neighbour_scores,
    shape_scores,
)
from latent_nmr.errors import InputError

N_FITTED, N_SCORED = 600, 300
REGRESSED = ("W", "alpha_x", "alpha_z", "L")


def draw(seed=0, n_fitted=N_FITTED, n_scored=N_SCORED):
    """Two coordinates and labels that follow from them."""
    random = np.random.default_rng(seed)
    Z = random.uniform(-1, 1, (n_fitted + n_scored, 2))
    labels = {
        "W": 0.2 + 0.1 * Z[:, 0],
        "alpha_x": 0.05 + 0.03 * Z[:, 1],
        "alpha_z": 0.05 + 0.03 * Z[:, 0] * Z[:, 1],
        "L": 15 + 10 * Z[:, 0] ** 2,
        "kernel": np.array(["gaussian", "power", "rkky"])[np.digitize(Z[:, 1], [-0.3, 0.4])],
    }
    fitted = {name: values[:n_fitted] for name, values in labels.items()}
    scored = {name: values[n_fitted:] for name, values in labels.items()}
    return Z[:n_fitted], Z[n_fitted:], Parts(fitted, scored)


class TestNeighbourScores:
    """What neighbours tell, against scikit-learn's own estimators."""

    def test_each_regression_is_that_of_scikit_learn(self):
        fitted, scored, parts = draw()
        found = neighbour_scores(fitted, scored, parts)
        for name in REGRESSED:
            regressor = KNeighborsRegressor(N_NEIGHBOURS).fit(fitted, parts.fitted[name])
            expected = r2_score(parts.scored[name], regressor.predict(scored))
            assert found[f"r2_{name}"] == pytest.approx(expected, abs=1e-12)

    def test_length_of_a_group_of_kernels_is_fitted_and_scored_on_that_group(self):
        fitted, scored, parts = draw()
        found = neighbour_scores(fitted, scored, parts)
        for score, is_in in (("r2_L_power", np.equal), ("r2_L_others", np.not_equal)):
            rows = is_in(parts.fitted["kernel"], "power")
            asked = is_in(parts.scored["kernel"], "power")
            regressor = KNeighborsRegressor(N_NEIGHBOURS).fit(fitted[rows], parts.fitted["L"][rows])
            predicted = regressor.predict(scored[asked])
            expected = r2_score(parts.scored["L"][asked], predicted)
            assert found[score] == pytest.approx(expected, abs=1e-12)

    def test_each_classification_is_that_of_scikit_learn(self):
        fitted, scored, parts = draw()
        found = neighbour_scores(fitted, scored, parts)
        classifier = KNeighborsClassifier(N_NEIGHBOURS).fit(fitted, parts.fitted["kernel"])
        kernels = f1_score(parts.scored["kernel"], classifier.predict(scored), average="macro")
        assert found["f1_kernels_macro"] == pytest.approx(kernels, abs=1e-12)
        truth = parts.scored["kernel"] == "power"
        classifier.fit(fitted, parts.fitted["kernel"] == "power")
        for average in ("binary", "macro", "weighted"):
            expected = f1_score(truth, classifier.predict(scored), average=average)
            assert found[f"f1_{average}"] == pytest.approx(expected, abs=1e-12)

    def test_the_order_of_the_fitted_rows_changes_nothing(self):
        fitted, scored, parts = draw()
        order = np.random.default_rng(1).permutation(len(fitted))
        turned = Parts({n: v[order] for n, v in parts.fitted.items()}, parts.scored)
        found = neighbour_scores(fitted[order], scored, turned)
        assert found == pytest.approx(neighbour_scores(fitted, scored, parts), abs=1e-12)

    def test_only_labels_of_both_parts_that_vary_are_scored(self):
        fitted, scored, parts = draw()
        flat = np.full(N_SCORED, 0.2)
        mixed = Parts(parts.fitted, {"W": flat, "alpha_x": parts.scored["alpha_x"]})
        assert set(neighbour_scores(fitted, scored, mixed)) == {"r2_alpha_x"}

    def test_one_kernel_only_is_not_classified(self):
        fitted, scored, parts = draw()
        same = [{**part, "kernel": np.full(len(part["W"]), "power")} for part in
                (parts.fitted, parts.scored)]  # fmt: skip
        found = neighbour_scores(fitted, scored, Parts(*same))
        assert not [name for name in found if name.startswith("f1")]
        assert found["r2_L_power"] == pytest.approx(found["r2_L"])
        assert "r2_L_others" not in found

    def test_no_more_rows_than_neighbours_are_refused(self):
        fitted, scored, parts = draw(n_fitted=N_NEIGHBOURS)
        with pytest.raises(InputError, match=r"more curves than the 15 neighbours.* has 15\. Use"):
            neighbour_scores(fitted, scored, parts)


class TestFloor:
    """Labels that have nothing to do with the coordinates."""

    def test_shuffled_labels_score_as_chance_says(self):
        fitted, scored, parts = draw(n_fitted=3000, n_scored=1500)
        runs = [neighbour_scores(fitted, scored, parts.shuffled(seed)) for seed in range(12)]
        for name, chance in chance_scores(parts).items():
            values = np.array([run[name] for run in runs])
            # Standard error of the mean of 12 shuffles; 4 of them, for eleven scores at once.
            # F1 is a ratio of means: its own bias is of order 1/n_scored.
            error = values.std(ddof=1) / np.sqrt(len(values))
            assert abs(values.mean() - chance) < 4 * error + 5 / 1500, name

    def test_a_shuffle_keeps_the_labels_of_a_row_together(self):
        _, _, parts = draw()
        shuffled = parts.shuffled(3)
        assert not (shuffled.fitted["W"] == parts.fitted["W"]).all()
        pairs = {(w, x) for w, x in zip(parts.fitted["W"], parts.fitted["alpha_x"], strict=True)}
        assert {(w, x) for w, x in zip(shuffled.fitted["W"], shuffled.fitted["alpha_x"],
                                       strict=True)} == pairs  # fmt: skip
        assert shuffled.scored is parts.scored

    def test_chance_knows_the_shares_of_the_classes(self):
        def of(*counts):
            kernel = np.repeat(["gaussian", "power", "rkky"], counts)
            return chance_scores(Parts({"kernel": kernel}, {}))

        # A vote of 15 among a rare class and the rest never elects the rare one.
        assert of(500, 1, 499)["f1_binary"] == pytest.approx(0, abs=1e-9)
        assert of(500, 1, 499)["f1_weighted"] == pytest.approx(1, abs=0.002)
        # Two classes of equal size: a coin.
        assert of(100, 100, 0)["f1_macro"] == pytest.approx(0.5)
        # Three of equal size: a third each, but for ties, which go to the first.
        assert of(100, 100, 100)["f1_kernels_macro"] == pytest.approx(1 / 3, abs=0.01)


class TestForests:
    """The ceiling."""

    def test_forests_read_labels_off_the_curves_and_report_each(self):
        Z, asked, parts = draw(n_fitted=300, n_scored=100)
        basis = np.random.default_rng(0).normal(size=(2, 24))
        parts_b = Parts(parts.fitted, {name: v[:50] for name, v in parts.scored.items()})
        steps = []
        sets, both = {"a": asked @ basis, "b": asked[:50] @ basis}, {"a": parts, "b": parts_b}
        found = forest_scores(Z @ basis, sets, both, n_trees=40, on_forest=lambda: steps.append(1))
        assert len(steps) == 8  # for both sets together
        alone = forest_scores(Z @ basis, {"b": sets["b"]}, both, n_trees=40)["b"]
        assert found["b"] == pytest.approx(alone, rel=1e-9)  # trees are summed in any order
        found = found["a"]
        assert found["r2_W"] > 0.9
        assert found["f1_kernels_macro"] > 0.9

    def test_only_every_fourth_sample_is_used(self):
        Z, asked, parts = draw(n_fitted=200, n_scored=80)
        basis = np.random.default_rng(0).normal(size=(2, 24))
        curves, asked_curves = Z @ basis, asked @ basis
        parts = Parts({"W": parts.fitted["W"]}, {"W": parts.scored["W"]})
        found = forest_scores(curves, {"a": asked_curves}, {"a": parts})
        unused = np.arange(24) % 4 > 0
        curves[:, unused] = 0
        asked_curves[:, unused] = 9
        again = forest_scores(curves, {"a": asked_curves}, {"a": parts})
        assert again["a"] == pytest.approx(found["a"], rel=1e-9)


class TestShape:
    """Neighbourhoods, clusters and orders."""

    def test_a_faithful_map_keeps_every_neighbourhood(self):
        fitted, scored, parts = draw()
        found = shape_scores(fitted, scored, scored * 7, parts)
        assert found["trustworthiness"] == pytest.approx(1)
        assert found["continuity"] == pytest.approx(1)

    def test_folding_costs_trust_and_tearing_costs_continuity(self):
        random = np.random.default_rng(0)
        plane = random.uniform(-1, 1, (400, 2))
        folded = np.abs(plane)
        # Both halves are moved far apart: neighbours across the cut are torn from each other.
        torn = plane + 50 * (plane > 0)
        of_folded = shape_scores(plane, folded, plane, None)
        of_torn = shape_scores(plane, torn, plane, None)
        assert of_folded["trustworthiness"] < of_folded["continuity"] - 0.1
        assert of_torn["continuity"] < of_torn["trustworthiness"]

    def test_an_axis_that_is_a_label_orders_it_perfectly(self):
        fitted, scored, parts = draw()
        found = shape_scores(fitted, scored, scored, parts)
        assert found["rho_1_W"] == pytest.approx(1)
        assert found["rho_2_W"] < 0.2

    def test_separate_kernels_are_found_and_mixed_ones_are_not(self):
        _, _, parts = draw()
        place = {"gaussian": -9.0, "power": 0.0, "rkky": 9.0}
        apart = [np.array([[place[k]] for k in part["kernel"]]) for part in
                 (parts.fitted, parts.scored)]  # fmt: skip
        noise = np.random.default_rng(0).normal(size=(N_FITTED + N_SCORED, 1))
        clear = shape_scores(apart[0] + noise[:N_FITTED], apart[1] + noise[N_FITTED:],
                             noise[N_FITTED:], parts)  # fmt: skip
        mixed = shape_scores(noise[:N_FITTED], noise[N_FITTED:], noise[N_FITTED:], parts)
        assert clear["adjusted_rand"] > 0.98
        assert clear["silhouette_kernel"] > 0.7
        assert abs(mixed["adjusted_rand"]) < 0.05
        assert mixed["silhouette_kernel"] < 0.05

    def test_without_labels_only_neighbourhoods_are_scored(self):
        fitted, scored, _ = draw()
        assert set(shape_scores(fitted, scored, scored, None)) == {"trustworthiness", "continuity"}

    def test_too_few_scored_curves_are_refused(self):
        fitted, scored, _ = draw(n_scored=2 * N_NEIGHBOURS)
        with pytest.raises(InputError, match=r"more than 30 curves.* has 30\. Use more"):
            shape_scores(fitted, scored, scored, None)

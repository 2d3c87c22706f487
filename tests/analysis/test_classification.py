"""Classifiers of the kernel, their scores, and what a leak adds."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from latent_nmr.analysis.classification import (
    CLASSIFIERS,
    class_names,
    classes_of,
    classification_scores,
    classify,
    leak_scores,
    resampled_scores,
)
from latent_nmr.studies.probes.names import CLASSIFIER_TITLES
from latent_nmr.studies.probes.published import PAPER_F1


def two_clouds(n_power=60, n_others=120, distance=6.0, seed=0):
    """Rows of two classes, `distance` deviations apart in the first of four columns."""
    draw = np.random.default_rng(seed)
    labels = np.array(["power"] * n_power + ["others"] * n_others)
    X = draw.standard_normal((len(labels), 4))
    X[:n_power, 0] += distance
    order = draw.permutation(len(labels))
    return X[order], labels[order]


class TestClasses:
    def test_binary_is_the_power_law_against_the_rest(self):
        kernels = np.array(["gaussian", "power", "rkky"])
        assert classes_of(kernels, "binary").tolist() == ["others", "power", "others"]
        assert classes_of(kernels, "three-class").tolist() == kernels.tolist()
        assert class_names(classes_of(kernels, "binary")) == ["others", "power"]


class TestScores:
    def test_every_average_of_f1_is_what_its_name_says(self):
        truth = np.array(["power"] * 3 + ["others"] * 7)
        predicted = np.array(["power", "power", "others"] + ["others"] * 5 + ["power"] * 2)
        found = classification_scores(truth, predicted)
        # power: 2 right of 4 called, of 3 true; others: 5 right of 6 called, of 7 true.
        power, others = 2 * 2 / (4 + 3), 2 * 5 / (6 + 7)
        assert found["f1_binary"] == pytest.approx(power)
        assert found["f1_macro"] == pytest.approx((power + others) / 2)
        assert found["f1_weighted"] == pytest.approx((3 * power + 7 * others) / 10)
        assert found["accuracy"] == pytest.approx(0.7)

    def test_three_classes_have_no_binary_f1(self):
        kernels = np.array(["gaussian", "power", "rkky", "rkky"])
        predicted = np.array(["gaussian", "power", "rkky", "power"])
        found = classification_scores(kernels, predicted)
        assert "f1_binary" not in found
        f1 = precision_recall_fscore_support(kernels, predicted)[2]
        assert found["f1_macro"] == pytest.approx(f1.mean())


class TestClassifiers:
    def test_those_of_the_paper_and_boosting_are_there_and_have_titles(self):
        assert set(CLASSIFIERS) == {*PAPER_F1, "boosting"} == set(CLASSIFIER_TITLES)
        assert len(CLASSIFIERS) == 8

    @pytest.mark.parametrize("name", CLASSIFIERS)
    def test_each_tells_distant_clouds_apart_and_shuffled_labels_not(self, name):
        X, labels = two_clouds()
        fitted, scored = np.arange(0, 120), np.arange(120, 180)
        found = classify(CLASSIFIERS[name], X, labels, fitted, scored, 0)
        assert found["scores"]["f1_macro"] > 0.95
        assert np.sum(found["confusion"]) == 60
        assert np.trace(found["confusion"]) / 60 == pytest.approx(found["scores"]["accuracy"])
        dealt = labels.copy()
        dealt[fitted] = np.random.default_rng(1).permutation(labels[fitted])
        floor = classify(CLASSIFIERS[name], X, dealt, fitted, scored, 0)
        # Chance gives 1/2; its deviation over 60 rows is below 0.07.
        assert floor["scores"]["accuracy"] < 0.75

    def test_columns_are_standardised_for_those_that_weigh_or_compare_them(self):
        X, labels = two_clouds()
        X[:, 1] *= 1e4  # noise that would drown the rest
        fitted, scored = np.arange(0, 120), np.arange(120, 180)
        for name in ("knn", "kernel_svm", "sgd"):
            found = classify(CLASSIFIERS[name], X, labels, fitted, scored, 0)
            assert found["scores"]["f1_macro"] > 0.95, name

    def test_only_trees_have_importances_and_they_find_the_column(self):
        X, labels = two_clouds()
        fitted, scored = np.arange(0, 120), np.arange(120, 180)
        forest = classify(CLASSIFIERS["forest"], X, labels, fitted, scored, 0)
        assert np.argmax(forest["importances"]) == 0
        assert np.sum(forest["importances"]) == pytest.approx(1)
        assert classify(CLASSIFIERS["knn"], X, labels, fitted, scored, 0)["importances"] is None


class TestLeak:
    """Classes that cannot be told apart, so that all above chance is a leak."""

    def test_oversampling_before_the_split_scores_what_is_not_there(self):
        X, labels = two_clouds(100, 300, distance=0.0)
        found = leak_scores(X, labels, np.arange(400), fraction=0.2, random_state=0)
        assert found["leaky"]["f1_macro"] > 0.75
        assert found["balanced"]["f1_macro"] < 0.6
        assert found["honest"]["f1_macro"] < 0.6
        # Of the balanced test, half are of the class with copies, most of them fitted.
        assert 0.3 < found["shared"] <= 0.5

    def test_out_of_bag_of_repeated_rows_leaks_and_weights_do_not(self):
        X, labels = two_clouds(60, 180, distance=0.0)
        found = resampled_scores(X, labels, np.arange(240), 0)
        assert found["out_of_bag_leaky"]["f1_macro"] > 0.75
        assert found["out_of_bag"]["f1_macro"] < 0.6
        assert found["five_fold"]["f1_macro"] < 0.6

    def test_equal_classes_have_no_leaky_twin(self):
        X, labels = two_clouds(60, 60)
        found = resampled_scores(X, labels, np.arange(120), 0)
        assert set(found) == {"out_of_bag", "five_fold"}
        assert found["out_of_bag"]["f1_macro"] > 0.95
        assert found["five_fold"]["f1_macro"] > 0.95

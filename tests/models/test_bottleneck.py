"""The supervised bottleneck: coordinates that labels chose."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.neighbors import KNeighborsRegressor

from latent_nmr.models.bottleneck import SCHEDULE, BottleneckNetwork, varying

N_ROWS, N_FITTED, N_FEATURES = 240, 160, 12
QUICK = replace(SCHEDULE, max_epochs=40, learning_rate=3e-3)


def draw(seed):
    """Curves of two independent causes, the second ten times as large as the first."""
    random = np.random.default_rng(seed)
    causes = random.uniform(-1, 1, (N_ROWS, 2))
    time = np.linspace(0, 1, N_FEATURES)
    X = np.exp(-time * (2 + causes[:, :1])) + 4 * causes[:, 1:] * np.sin(6 * time)
    return X.astype(np.float32), causes


X, CAUSES = draw(0)
GROUPS = np.arange(N_FITTED) // 2


def fitted(labels, **settings):
    known = {name: values[:N_FITTED] for name, values in labels.items()}
    network = BottleneckNetwork(1, schedule=QUICK, **settings)
    return network.fit(X[:N_FITTED], known, groups=GROUPS)


def r2_of_neighbours(network, values):
    near = KNeighborsRegressor(5).fit(network.transform(X[:N_FITTED]), values[:N_FITTED])
    return near.score(network.transform(X[N_FITTED:]), values[N_FITTED:])


@pytest.fixture(scope="module")
def network():
    return fitted({"small": CAUSES[:, 0]})


def test_one_unit_orders_held_out_curves_by_the_one_label_however_little_it_shows(network):
    Z = network.transform(X[N_FITTED:])
    assert Z.shape == (N_ROWS - N_FITTED, 1)
    assert abs(spearmanr(Z[:, 0], CAUSES[N_FITTED:, 0])[0]) > 0.95
    assert abs(spearmanr(Z[:, 0], CAUSES[N_FITTED:, 1])[0]) < 0.3
    assert r2_of_neighbours(network, CAUSES[:, 0]) > 0.9


def test_rows_of_a_material_are_all_trained_on_or_all_held_out(network):
    split = [set(GROUPS[rows]) for rows in (network.training_rows_, network.validation_rows_)]
    assert not set.intersection(*split)
    assert len(network.validation_rows_) == 2 * len(split[1]) == 24


def test_shuffled_labels_give_chance():
    order = np.random.default_rng(1).permutation(N_ROWS)
    found = fitted({"small": CAUSES[order, 0]})
    assert r2_of_neighbours(found, CAUSES[order, 0]) < 0.1


def test_a_seed_means_the_same_coordinates_and_another_seed_others(network):
    again, other = (fitted({"small": CAUSES[:, 0]}, random_state=seed) for seed in (0, 1))
    assert np.array_equal(again.transform(X), network.transform(X))
    assert not np.array_equal(other.transform(X), network.transform(X))


@pytest.mark.slow
def test_classes_are_learnt_beside_numbers():
    kinds = np.where(CAUSES[:, 0] > 0, "high", "low")
    found = fitted({"kind": kinds, "small": CAUSES[:, 0]})
    near = KNeighborsRegressor(5).fit(found.transform(X[:N_FITTED]), kinds[:N_FITTED] == "high")
    guess = near.predict(found.transform(X[N_FITTED:])) > 0.5
    assert np.mean(guess == (kinds[N_FITTED:] == "high")) > 0.9


def test_labels_of_one_value_teach_nothing():
    labels = {"a": np.array([1.0, 1.0, 2.0]), "b": np.array(["x", "x", "x"])}
    assert list(varying(labels)) == ["a"]
    assert not varying(labels, np.array([0, 1]))

"""Digests: equal for inputs that give equal results, different for all others."""

import functools

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from latent_nmr.studies._identity import digest_of


def scaler_by(factor):
    """A function whose factor is known to its closure alone."""
    return lambda X: factor * X


class Silent:
    """An estimator whose repr does not say what it does."""

    def __init__(self, power):
        self.power = power

    def __repr__(self):
        return "Silent()"


PAIRS = {
    "numbers": (1, 2),
    "kinds of numbers": (1, 1.0),
    "a number and its text": (1, "1"),
    "nesting": ([1, [2]], [[1], 2]),
    "values of a mapping": ({"a": 1}, {"a": 2}),
    "arrays": (np.zeros(3), np.array([0.0, 0.0, 1e-300])),
    "precision": (np.zeros(3, np.float32), np.zeros(3)),
    "shapes": (np.zeros((2, 3)), np.zeros((3, 2))),
    "parameters": (PCA(2), PCA(3)),
    "a step in a pipeline": (
        make_pipeline(StandardScaler(), PCA(2)),
        make_pipeline(StandardScaler(with_std=False), PCA(2)),
    ),
    "closures": (FunctionTransformer(scaler_by(1)), FunctionTransformer(scaler_by(2))),
    "partial arguments": (functools.partial(np.power, 2), functools.partial(np.power, 3)),
    "objects of equal repr": (Silent(1), Silent(2)),
    "fitted state": (PCA(1), PCA(1).fit(np.eye(3))),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_what_differs_has_another_digest(pair):
    assert digest_of(pair[0]) != digest_of(pair[1])


EQUALS = {
    "order of a mapping": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "copies of an array": (np.arange(6).reshape(2, 3), np.arange(6).reshape(2, 3)),
    "memory order": (np.eye(3, 2), np.asfortranarray(np.eye(3, 2))),
    "equal estimators": (PCA(2, random_state=0), PCA(2, random_state=0)),
    "equal closures": (FunctionTransformer(scaler_by(2)), FunctionTransformer(scaler_by(2))),
    "equal fits": (PCA(1).fit(np.eye(3)), PCA(1).fit(np.eye(3))),
    "random states": (np.random.RandomState(0), np.random.RandomState(0)),
}


@pytest.mark.parametrize("pair", EQUALS.values(), ids=EQUALS)
def test_what_is_equal_has_the_same_digest(pair):
    assert digest_of(pair[0]) == digest_of(pair[1])


def test_an_object_that_holds_itself_has_a_digest():
    loop: list = [1]
    loop.append(loop)
    assert digest_of(loop) == digest_of(loop)


def test_what_cannot_be_identified_is_never_taken_for_another():
    generator = (n for n in range(3))
    assert digest_of(generator) != digest_of(generator)


def test_functions_typed_into_a_session_are_compared_by_their_code():
    spaces = [{}, {}, {}]
    for space, text in zip(spaces, ["X + 1", "X + 2", "X + 1"], strict=True):
        exec(f"def shift(X): return {text}", space)
    first, second, third = (space["shift"] for space in spaces)
    assert digest_of(first) != digest_of(second)
    assert digest_of(first) == digest_of(third)

"""Digests: equal for inputs that give equal results, different for all others."""

import functools
import importlib

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


def typed(text, **names):
    """Global names of a session into which `text` was typed: there is no file of it."""
    space = {"__name__": "__main__", **names}
    exec(text, space)
    return space


BASE = "from sklearn.base import BaseEstimator, TransformerMixin\nimport numpy as np\n"
OWN = BASE + "class Own(TransformerMixin, BaseEstimator):\n    def transform(self, X): return {}\n"
EDITS = {
    "a function": ("def f(X): return {}", "X + 1", "X + 2"),
    "a name in a lambda": (BASE + "f = lambda X: {}", "np.sin(X)", "np.cos(X)"),
    "a helper": ("def helper(X): return {}\ndef f(X): return helper(X)", "X", "-X"),
    "a helper of a helper": (
        "def g(X): return {}\ndef h(X): return g(X)\ndef f(X): return h(X)", "X", "-X",
    ),
    "a global number": ("K = {}\ndef f(X): return K * X", "1", "2"),
    "a default": ("def f(X, k={}): return k * X", "1", "2"),
    "an inner function": (
        "def f(X):\n    def inner(x): return {}\n    return inner(X)", "x", "-x",
    ),
    "a method": (OWN + "f = Own()", "X", "-X"),
    "a method that uses a helper": (
        "def helper(X): return {}\n" + OWN.format("helper(X)") + "f = Own()", "X", "-X",
    ),
    "a method that uses a global": (
        "K = {}\n" + OWN.format("K * X") + "f = Own()", "1", "2",
    ),
    "a base class": (OWN + "class Mine(Own): pass\nf = Mine()", "X", "-X"),
    "an attribute of a class": (
        OWN.format("X") + "    power = {}\nf = Own()", "1", "2",
    ),
    "a static method": (
        OWN.format("X") + "    @staticmethod\n    def g(X): return {}\nf = Own()", "X", "-X",
    ),
    "a property": (
        OWN.format("X") + "    @property\n    def g(self): return {}\nf = Own()", "1", "2",
    ),
    "a function of an estimator": (
        "from sklearn.preprocessing import FunctionTransformer\n"
        "def helper(X): return {}\ndef g(X): return helper(X)\nf = FunctionTransformer(g)",
        "X", "-X",
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_edited_code_has_another_digest_and_equal_code_the_same(edit):
    text, before, after = edit
    first, again, edited = (
        typed(text.replace("{}", part))["f"] for part in (before, before, after)
    )
    assert digest_of(first) == digest_of(again)
    assert digest_of(first) != digest_of(edited)


def test_a_module_of_the_user_is_known_by_what_is_used_of_it(tmp_path, monkeypatch):
    digests = []
    monkeypatch.syspath_prepend(tmp_path)
    for number, body in enumerate(["X", "-X", "X  # unlike before\nother = 1"]):
        name = f"helpers_{number}"
        (tmp_path / f"{name}.py").write_text(f"def scale(X): return {body}\n", "utf-8")
        module = importlib.import_module(name)
        module.__name__ = module.scale.__module__ = "helpers"
        space = typed("def f(X): return helpers.scale(X)", helpers=module)
        digests.append(digest_of(space["f"]))
    assert digests[0] == digests[2] != digests[1]


def test_functions_that_call_each_other_have_a_digest():
    text = "def f(X): return g(X)\ndef g(X): return f({})"
    assert digest_of(typed(text.format("X"))["f"]) != digest_of(typed(text.format("-X"))["f"])


def test_many_functions_that_share_helpers_take_no_time():
    """Each is visited once, not once for every way that leads to it: there are 2 to the 40."""
    lines = ["def f0(X): return X"]
    lines += [f"def f{n}(X): return f{n - 1}(f{n - 1}(X)) + g{n}(X)" for n in range(1, 41)]
    lines += [f"def g{n}(X): return f{n - 1}(X)" for n in range(1, 41)]
    assert len(digest_of(typed("\n".join(lines))["f40"])) == 32


def test_code_of_an_installed_package_is_known_by_its_version(monkeypatch):
    before = digest_of(PCA(2))
    monkeypatch.setattr("sklearn.__version__", "99")
    assert digest_of(PCA(2)) != before

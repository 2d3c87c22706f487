"""Every public name has an example, and every example runs as it stands."""

import doctest
import inspect
import warnings
from operator import attrgetter

import pytest

import latent_nmr as ln

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def documented(name):
    """The public object `name`, and its public methods and properties, with their docstrings."""
    found = attrgetter(name)(ln)
    yield name, found.__doc__ or ""
    if inspect.isclass(found):
        for member, value in vars(found).items():
            if not member.startswith("_") and getattr(value, "__doc__", None):
                yield f"{name}.{member}", value.__doc__


@pytest.mark.parametrize("name", [*ln.__all__, *(f"plots.{name}" for name in ln.plots.__all__)])
def test_examples_of(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the examples write
    n_run = 0
    for where, text in documented(name):
        test = doctest.DocTestParser().get_doctest(text, {}, where, where, 0)
        if where == name:
            has_section = "Examples\n" in text and any(
                not example.options.get(doctest.SKIP) for example in test.examples
            )
            assert has_section, f"{name}: Examples section"
        said = []
        with warnings.catch_warnings():
            doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append)
        assert not said, "".join(said)
        n_run += len(test.examples)
    assert n_run

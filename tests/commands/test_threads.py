"""Fits in threads: their noise is dropped, and nothing else."""

import warnings

import pytest
from sklearn.utils.parallel import delayed
from threadpoolctl import threadpool_info, threadpool_limits

from latent_nmr.studies._threads import NOISE, threads_side_by_side


@pytest.fixture
def shown(monkeypatch):
    """Messages of warnings that came through."""
    messages = []
    monkeypatch.setattr(
        warnings, "showwarning", lambda message, *_, **__: messages.append(str(message))
    )
    return messages


def test_only_the_warning_of_scikit_learn_about_its_threads_is_dropped(shown):
    with warnings.catch_warnings():
        with threads_side_by_side():
            # As a thread finds them while another is refilling them.
            warnings.resetwarnings()
            function, arguments, _ = delayed(abs)(-1)
            assert function(*arguments) == 1
            warnings.warn("a fit did not converge", UserWarning, stacklevel=1)
        # Without us, it is shown.
        warnings.simplefilter("always")
        function(*arguments)
    assert shown[0] == "a fit did not converge"
    assert [message.startswith(NOISE) for message in shown[1:]] == [True]


def test_filters_are_afterwards_what_they_were():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="mine")
        before = list(warnings.filters)
        with threads_side_by_side():
            warnings.resetwarnings()
        assert warnings.filters == before


def test_a_matrix_product_uses_one_core():
    def n_threads():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(3, user_api="blas"):
        assert n_threads() == {3}
        with threads_side_by_side():
            assert n_threads() == {1}
        assert n_threads() == {3}

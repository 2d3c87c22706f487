"""Names and states of latent axes, and the warnings about weak ones."""

import numpy as np
import pytest

from latent_nmr.latent_axes import axis_names, axis_state, axis_warnings


class TestAxisState:
    """Active, weak or collapsed, by the variance of an axis' posterior means."""

    @pytest.mark.parametrize(
        ("variance", "state"),
        [
            (1.0, "active"),
            (np.nextafter(0.1, 1), "active"),
            (0.1, "weak"),
            (0.01, "weak"),
            (np.nextafter(0.01, 0), "collapsed"),
            (0.0, "collapsed"),
        ],
    )
    def test_the_limits_are_a_tenth_and_a_hundredth(self, variance, state):
        assert axis_state(variance) == state


class TestAxisWarnings:
    """Sentences for axes that are not active."""

    @pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
    def test_active_axes_cause_no_warning(self, likelihood):
        assert axis_warnings([1.0, 0.11], likelihood) == []

    def test_each_inactive_axis_is_named_with_state_variance_and_limit(self):
        weak, collapsed = axis_warnings([0.9, 0.04, 0.00123], "gaussian")
        assert weak.startswith("LA2 is weak: its posterior means have variance 0.04,")
        assert collapsed.startswith("LA3 is collapsed: its posterior means have variance 0.0012,")
        assert "an active axis has more than 0.1." in weak

    @pytest.mark.parametrize(
        ("likelihood", "cure"),
        [("gaussian", "Lower scale or beta"), ("bernoulli", "Use the Gaussian likelihood")],
    )
    def test_the_cure_fits_the_likelihood(self, likelihood, cure):
        (sentence,) = axis_warnings([0.0], likelihood)
        assert f". {cure}" in sentence
        assert sentence.endswith(".")


class TestAxisNames:
    """Names of latent axes."""

    def test_they_count_from_one(self):
        assert axis_names(3) == ["LA1", "LA2", "LA3"]

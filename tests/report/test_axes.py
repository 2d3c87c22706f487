"""Words for latent axes."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from latent_nmr.analysis.naming import name_axes
from latent_nmr.report.axes import axis_sentence
from latent_nmr.studies.axes import axis_name_of

N_CURVES = 200
FEW = {"n_permutations": 99, "n_information_permutations": 19}


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def labels(rng):
    """Independent labels, as a sampler draws them."""
    return {
        "W": rng.random(N_CURVES),
        # Evenly spread, so that what is symmetric in L has no rank correlation with it.
        "L": rng.permutation(np.linspace(0, 1, N_CURVES)),
        "kernel": rng.choice(["gaussian", "power", "rkky"], N_CURVES),
    }


def near(values, rng, noise=0.1):
    return values + noise * rng.normal(size=len(values))


def u_shaped(values, rng):
    """Symmetric about the middle of [0, 1]: ρ = 0, and yet known up to a sign."""
    return near((values - 0.5) ** 2, rng, 0.01)


class TestSentences:
    """What is said of an axis."""

    def test_an_axis_that_follows_a_label_orders_it(self, labels, rng):
        (name,) = name_axes(np.exp(near(labels["W"], rng))[:, None], labels, **FEW)
        assert (name.axis, name.orders, name.depends_on) == ("LA1", "W", "W")
        order = name.labels[0].order
        expected = f"(|ρ| {order.mean:.2f}, null 95 % {order.null_of_largest:.2f})"
        assert axis_sentence(name) == f"LA1 orders W {expected}"

    def test_several_seeds_give_a_spread(self, labels, rng):
        latents = [near(labels["W"], rng)[:, None] for _ in range(3)]
        (name,) = name_axes(latents, labels, **FEW)
        deviation = np.std(name.labels[0].rho, ddof=1)
        assert axis_sentence(name).startswith("LA1 orders W (|ρ| 0.9")
        assert f" ± {deviation:.2f}, null" in axis_sentence(name)

    def test_other_ordered_labels_follow(self, labels, rng):
        axis = near(labels["W"] + 0.5 * labels["L"], rng)
        (name,) = name_axes(axis[:, None], labels, **FEW)
        assert f"), then L {name.labels[1].order}" in axis_sentence(name)

    def test_a_u_shaped_label_is_depended_on_and_not_ordered(self, labels, rng):
        (name,) = name_axes(u_shaped(labels["L"], rng)[:, None], labels, **FEW)
        assert (name.orders, name.depends_on) == (None, "L")
        known, order = name.labels[1].information, name.labels[1].order
        assert axis_sentence(name) == (
            f"LA1 depends on L but does not order it (MI {known} nats, null 95 % "
            f"{known.null_of_largest:.2f}; |ρ| {order}, null 95 % {order.null_of_largest:.2f})"
        )

    def test_a_label_that_is_ordered_less_and_known_better_is_not_kept_quiet(self, labels, rng):
        axis = u_shaped(labels["L"], rng) + 0.06 * labels["W"]
        (name,) = name_axes(axis[:, None], labels, **FEW)
        assert (name.orders, name.depends_on) == ("W", "L")
        l_known, w_known = name.labels[1].information, name.labels[0].information
        assert f", but is more informative about L (MI {l_known} nats" in axis_sentence(name)
        assert axis_sentence(name).endswith(f"against {w_known} for W)")

    def test_a_nominal_label_is_depended_on_and_has_no_order(self, labels, rng):
        axis = near(np.where(labels["kernel"] == "power", 1.0, 0.0), rng)
        (name,) = name_axes(axis[:, None], labels, **FEW)
        assert (name.orders, name.depends_on) == (None, "kernel")
        assert axis_sentence(name).startswith("LA1 depends on kernel, which has no order (MI 0.")

    def test_an_axis_of_noise_orders_nothing(self, labels):
        axis = np.random.default_rng(5).normal(size=(N_CURVES, 1))
        (name,) = name_axes(axis, labels, **FEW)
        assert (name.orders, name.depends_on) == (None, None)
        assert axis_sentence(name).startswith("LA1 orders nothing among W, L (largest |ρ| 0.")

    def test_what_only_some_seeds_order_is_said(self, labels, rng):
        noise = np.random.default_rng(5).normal(size=(N_CURVES, 1))
        (name,) = name_axes([near(labels["W"], rng)[:, None], noise], labels, **FEW)
        assert name.orders is None
        assert "LA1 orders nothing in every seed among W, L" in axis_sentence(name)
        assert "above the null in 1 of 2 seeds" in axis_sentence(name)

    def test_a_label_that_is_the_largest_in_some_seeds_only_is_said(self, labels, rng):
        mixtures = [(1.0, 0.2), (0.8, 1.0)]
        latents = [near(a * labels["W"] + b * labels["L"], rng)[:, None] for a, b in mixtures]
        (name,) = name_axes(latents, labels, **FEW)
        assert name.orders == "W"
        assert "the largest |ρ| in 1 of 2 seeds" in axis_sentence(name)

    def test_a_nominal_label_alone_can_be_absent_from_an_axis(self, labels):
        axis = np.random.default_rng(5).normal(size=(N_CURVES, 1))
        (name,) = name_axes(axis, {"kernel": labels["kernel"]}, **FEW)
        assert axis_sentence(name).startswith("LA1 depends on nothing among kernel (MI 0.")

    def test_why_an_axis_is_not_named_is_said(self):
        (name,) = name_axes(np.zeros((N_CURVES, 1)), {})
        assert axis_sentence(name) == "LA1 is not named: it is constant"

    def test_a_name_that_went_through_json_is_the_same(self, labels, rng):
        latents = [near(labels["W"], rng)[:, None] for _ in range(2)]
        (name,) = name_axes(latents, labels, **FEW)
        assert axis_name_of(json.loads(json.dumps(asdict(name)))) == name

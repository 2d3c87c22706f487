"""Interpretation of latent axes."""

import numpy as np
import pytest

from latent_nmr.analysis.naming import name_axes
from latent_nmr.errors import InputError

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


class TestNames:
    """What an axis orders and depends on."""

    def test_an_axis_that_follows_a_label_orders_it(self, labels, rng):
        (name,) = name_axes(np.exp(near(labels["W"], rng))[:, None], labels, **FEW)
        assert (name.axis, name.orders, name.depends_on) == ("LA1", "W", "W")

    def test_a_u_shaped_label_is_depended_on_and_not_ordered(self, labels, rng):
        (name,) = name_axes(u_shaped(labels["L"], rng)[:, None], labels, **FEW)
        assert (name.orders, name.depends_on) == (None, "L")

    def test_a_nominal_label_is_depended_on_and_has_no_order(self, labels, rng):
        axis = near(np.where(labels["kernel"] == "power", 1.0, 0.0), rng)
        (name,) = name_axes(axis[:, None], labels, **FEW)
        assert (name.orders, name.depends_on) == (None, "kernel")
        assert name.labels[2].order is None

    def test_an_axis_of_noise_orders_nothing(self, labels):
        axis = np.random.default_rng(5).normal(size=(N_CURVES, 1))
        (name,) = name_axes(axis, labels, **FEW)
        assert (name.orders, name.depends_on, name.problem) == (None, None, "")


class TestLaws:
    """What must not change a name."""

    def test_sign_and_monotonic_maps_of_an_axis_keep_name_and_correlation(self, labels, rng):
        axis = near(labels["W"], rng)
        plain, mapped = (name_axes(z[:, None], labels, **FEW)[0] for z in (axis, -np.exp(axis)))
        assert mapped.orders == plain.orders
        for one, other in zip(plain.labels[:2], mapped.labels[:2], strict=True):
            assert one.order.mean == pytest.approx(other.order.mean, abs=1e-13)
            assert one.rho[0] == pytest.approx(-other.rho[0], abs=1e-13)

    def test_an_axis_whose_sign_differs_between_seeds_keeps_its_spread(self, labels, rng):
        axis = near(labels["W"], rng)[:, None]
        (name,) = name_axes([axis, -axis], labels, **FEW)
        assert name.labels[0].rho[0] == pytest.approx(-name.labels[0].rho[1])
        assert name.labels[0].order.deviation == pytest.approx(0, abs=1e-13)

    def test_the_same_random_state_gives_the_same_names(self, labels, rng):
        latent = rng.normal(size=(N_CURVES, 2))
        one, other = (name_axes(latent, labels, **FEW, random_state=3) for _ in range(2))
        assert one == other

    def test_every_axis_gets_its_own_name(self, labels, rng):
        latent = np.stack([near(labels["L"], rng), near(labels["W"], rng)], axis=1)
        assert [name.orders for name in name_axes(latent, labels, **FEW)] == ["L", "W"]

    def test_only_the_rows_chosen_are_used(self, labels, rng):
        rows = [np.arange(0, 60), np.arange(50, 120)]
        latents = [rng.normal(size=(N_CURVES, 1)) for _ in rows]
        for latent, chosen in zip(latents, rows, strict=True):
            latent[chosen, 0] = labels["W"][chosen]
        (name,) = name_axes(latents, labels, rows=rows, **FEW)
        assert name.n_curves == (60, 70)
        assert name.labels[0].rho == pytest.approx([1, 1])

    def test_shuffles_are_shared_by_the_seeds_and_counted(self, labels, rng):
        latents = [rng.normal(size=(N_CURVES, 2)) for _ in range(3)]
        steps = []
        names = name_axes(
            latents,
            labels,
            n_permutations=100,
            n_information_permutations=19,
            on_step=lambda: steps.append(1),
        )
        assert [(n.n_permutations, n.n_information_permutations) for n in names] == [(102, 21)] * 2
        assert len(steps) == 6


class TestWhatCannotBeNamed:
    """Reasons instead of numbers."""

    def test_a_constant_label_and_one_with_gaps_are_left_out_with_the_reason(self, labels, rng):
        labels["alpha_x"] = np.full(N_CURVES, 0.1)
        labels["alpha_z"] = np.where(np.arange(N_CURVES) < 3, np.nan, labels["L"])
        (name,) = name_axes(near(labels["W"], rng)[:, None], labels, **FEW)
        assert name.left_out == {"alpha_x": "is constant", "alpha_z": "is unknown for 3 curves"}
        assert [strength.label for strength in name.labels] == ["W", "L", "kernel"]
        assert name.orders == "W"

    def test_gaps_outside_the_rows_chosen_do_not_matter(self, labels, rng):
        labels["W"][:3] = np.nan
        rows = [np.arange(3, N_CURVES)]
        assert name_axes(rng.normal(size=(N_CURVES, 1)), labels, rows=rows, **FEW)[0].left_out == {}

    def test_without_labels_there_is_no_name(self, rng):
        latent = rng.normal(size=(N_CURVES, 1))
        (name,) = name_axes(latent, {})
        assert name.problem == "there is no label to name it by"
        (name,) = name_axes(latent, {"W": np.ones(N_CURVES)})
        assert name.problem.endswith("no label to name it by (W is constant)")

    def test_a_nominal_label_alone_can_be_absent_from_an_axis(self, labels):
        axis = np.random.default_rng(5).normal(size=(N_CURVES, 1))
        (name,) = name_axes(axis, {"kernel": labels["kernel"]}, **FEW)
        assert (name.orders, name.depends_on, name.problem) == (None, None, "")

    @pytest.mark.parametrize(("n_curves", "is_named"), [(19, False), (20, True)])
    def test_it_takes_twenty_curves(self, labels, n_curves, is_named):
        few = {name: values[:n_curves] for name, values in labels.items()}
        (name,) = name_axes(few["W"][:, None], few, **FEW)
        assert (name.orders == "W") == is_named
        if not is_named:
            assert name.problem == "it takes 20 curves, and there are 19"
            assert (name.labels, name.n_permutations) == ((), 0)

    def test_a_constant_axis_has_no_name_and_the_other_keeps_its_own(self, labels):
        latent = np.stack([np.zeros(N_CURVES), labels["W"]], axis=1)
        one, other = name_axes(latent, labels, **FEW)
        assert one.problem == "it is constant"
        assert other.orders == "W"
        (name, _) = name_axes([latent, latent[:, ::-1]], labels, **FEW)
        assert name.problem == "it is constant in 1 of 2 seeds"


class TestRefusals:
    """Arguments that do not fit together."""

    def test_a_label_of_other_curves(self, rng):
        with pytest.raises(InputError, match=r"label W must have shape .* has shape \(7,\)\. Give"):
            name_axes(rng.normal(size=(30, 1)), {"W": np.zeros(7)})

    def test_latents_of_different_shapes(self, labels, rng):
        with pytest.raises(InputError, match=r"array 1 has shape \(200, 3\) and the first"):
            name_axes([rng.normal(size=(N_CURVES, k)) for k in (2, 3)], labels)

    def test_no_latents(self, labels):
        with pytest.raises(InputError, match=r"one array per seed, but is empty\. Give"):
            name_axes([], labels)

    def test_a_latent_that_is_not_finite(self, labels):
        latent = np.zeros((N_CURVES, 1))
        latent[4] = np.inf
        with pytest.raises(InputError, match=r"must be finite, but row 4 of array 0 is \[inf\]"):
            name_axes(latent, labels)

    def test_rows_of_another_number_of_seeds(self, labels, rng):
        with pytest.raises(InputError, match=r"rows must have one index array .* 1, but has 2\."):
            name_axes(rng.normal(size=(N_CURVES, 1)), labels, rows=[np.arange(9)] * 2)

    @pytest.mark.parametrize("name", ["n_permutations", "n_information_permutations"])
    def test_too_few_shuffles(self, labels, rng, name):
        with pytest.raises(InputError, match=rf"{name} must be .* at least 19, but is 18\."):
            name_axes(rng.normal(size=(N_CURVES, 1)), labels, **{name: 18})

"""Activation and learning rate of choice, and the setting that has both."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.many import fit_many
from latent_nmr.models.schedule import Schedule
from tests.models import reference

OPEN = {
    "activation": "gelu",
    "schedule": "cosine",
    "hidden_layer_sizes": (8,),
    "max_epochs": 4,
    "patience": 9,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def smooth(curves):
    """A model with all that is not as published."""
    return BetaVAE(**OPEN).fit(curves)


def rates(max_epochs, learning_rate=1.0, schedule="cosine"):
    """Learning rates of all epochs."""
    plan = Schedule(32, 1, max_epochs, 5, learning_rate, schedule=schedule)
    return np.array([plan.rate(epoch) for epoch in range(1, max_epochs + 1)])


class TestRate:
    """The learning rate from epoch to epoch."""

    def test_a_constant_one_is_the_very_number_given(self):
        assert set(rates(30, 0.3, "constant")) == {0.3}

    @given(st.integers(1, 2000), st.floats(1e-6, 1.0))
    def test_a_cosine_rises_to_the_rate_given_and_falls_from_there(self, max_epochs, rate):
        found = rates(max_epochs, rate)
        top = int(np.argmax(found))
        assert found.max() == pytest.approx(rate, rel=1e-12)
        assert (found > 0).all()
        assert (np.diff(found[: top + 1]) > 0).all()
        assert (np.diff(found[top:]) < 0).all()

    @pytest.mark.parametrize("max_epochs", [20, 100, 140, 1000])
    def test_it_rises_for_a_twentieth_of_the_epochs_and_ends_near_nought(self, max_epochs):
        found = rates(max_epochs)
        assert np.argmax(found) + 1 == max_epochs // 20
        # Of the fall's last step, cos near π: (π/2)² over the square of the number of steps.
        assert found[-1] == pytest.approx((np.pi / 2 / (0.95 * max_epochs + 1)) ** 2, rel=0.01)
        # Half of the way down, half of the rate.
        half = (max_epochs // 20 + max_epochs + 1) / 2
        middle = np.interp(half, np.arange(1, max_epochs + 1), found)
        assert middle == pytest.approx(0.5, abs=0.01)


class TestActivation:
    """Hidden layers with another activation."""

    def test_a_gelu_network_is_its_numpy_twin(self, smooth, curves):
        mean, log_variance = reference.encode(smooth.weights_, curves, reference.gelu)
        # By tanh it is within 5e-4 of x Φ(x); a leaky ReLU is up to 0.17 from that.
        np.testing.assert_allclose(smooth.transform(curves), mean, rtol=0, atol=5e-3)
        deviation = np.exp(log_variance / 2)
        np.testing.assert_allclose(smooth.transform_std(curves), deviation, rtol=5e-3)
        leaky, _ = reference.encode(smooth.weights_, curves)
        assert np.abs(smooth.transform(curves) - leaky).max() > 0.05

    def test_it_is_saved_and_loaded(self, smooth, curves, tmp_path):
        smooth.save(tmp_path / "model")
        model = BetaVAE.load(tmp_path / "model")
        assert model.get_params() == smooth.get_params()
        assert model.architecture_ == smooth.architecture_
        np.testing.assert_array_equal(model.transform(curves), smooth.transform(curves))
        np.testing.assert_array_equal(model.reconstruct(curves), smooth.reconstruct(curves))

    @pytest.mark.parametrize("way", ["threads", pytest.param("vmap", marks=pytest.mark.slow)])
    def test_many_are_fitted_as_one_is(self, smooth, curves, way):
        (model,) = fit_many(curves, seeds=[0], model=BetaVAE(**OPEN), way=way)
        if way == "threads":
            np.testing.assert_equal(model.weights_, smooth.weights_)
        for ours, theirs in zip(model.history_, smooth.history_, strict=True):
            assert ours.reconstruction == pytest.approx(theirs.reconstruction, rel=1e-3)


class TestSettings:
    """Named settings, and what is refused."""

    def test_thorough_is_another_start_for_choices_of_ones_own(self):
        model = BetaVAE.thorough(n_components=4, max_epochs=30)
        assert (model.n_components, model.max_epochs, model.beta) == (4, 30, BetaVAE().beta)
        assert (model.activation, model.schedule) == ("gelu", "cosine")
        assert model.get_params() == BetaVAE(**model.get_params()).get_params()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"activation": "relu"}, "activation must be one of leaky_relu, gelu"),
            ({"activation": None}, "activation must be one of leaky_relu, gelu"),
            ({"schedule": "linear"}, "schedule must be one of constant, cosine"),
        ],
    )
    def test_others_are_refused(self, curves, options, message):
        with pytest.raises(InputError, match=message):
            BetaVAE(**options).fit(curves)

"""Many models on the same data."""

import threading

import numpy as np
import pandas as pd
import pytest

from latent_nmr.errors import InputError, NumericalError
from latent_nmr.models import many
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.many import fit_many

TEMPLATE = BetaVAE(
    hidden_layer_sizes=(8,), max_epochs=25, patience=2, learning_rate=3e-2, n_components=3
)
SEEDS, BETAS = (0, 5), (1.0, 4.0)


@pytest.fixture(scope="module")
def alone(curves):
    """Every model fitted by itself."""
    return [
        BetaVAE(**TEMPLATE.get_params() | {"random_state": seed, "beta": beta}).fit(curves)
        for beta in BETAS
        for seed in SEEDS
    ]


@pytest.fixture(scope="module", params=["threads", "vmap"])
def together(request, curves):
    return request.param, fit_many(
        curves, seeds=SEEDS, betas=BETAS, model=TEMPLATE, way=request.param
    )


class TestEquality:
    """A model does not feel its company."""

    def test_they_come_in_order_of_beta_and_seed(self, together):
        found = [(model.beta, model.random_state) for model in together[1]]
        assert found == [(1.0, 0), (1.0, 5), (4.0, 0), (4.0, 5)]

    @pytest.mark.parametrize("together", ["threads"], indirect=True)
    def test_in_threads_each_has_the_bits_of_a_fit_alone(self, together, alone):
        for model, single in zip(together[1], alone, strict=True):
            for name, weights in single.weights_.items():
                np.testing.assert_array_equal(model.weights_[name], weights)

    def test_each_starts_like_a_fit_alone(self, together, alone):
        # One epoch of float32 steps: rounding has not been amplified yet.
        for model, single in zip(together[1], alone, strict=True):
            ours, theirs = model.history_[0], single.history_[0]
            assert ours.reconstruction == pytest.approx(theirs.reconstruction, rel=1e-4)
            assert ours.validation_kl == pytest.approx(theirs.validation_kl, rel=1e-3)
            np.testing.assert_array_equal(model.validation_rows_, single.validation_rows_)

    def test_each_stops_by_its_own_losses_and_keeps_its_own_best_weights(self, together, curves):
        lengths = set()
        for model in together[1]:
            losses = [record.validation_reconstruction for record in model.history_]
            assert model.best_epoch_ == 1 + int(np.argmin(losses))
            assert model.n_iter_ == min(model.best_epoch_ + 2, 25)
            lengths.add(model.n_iter_)
            # The KL recorded for the best epoch is that of the weights kept.
            mean, std = model.transform(curves), model.transform_std(curves)
            kl = 0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std))[model.validation_rows_].mean(axis=0)
            best = model.history_[model.best_epoch_ - 1]
            np.testing.assert_allclose(best.validation_kl_per_axis, kl, rtol=1e-3, atol=1e-5)
        assert len(lengths) > 1  # or nothing was shown

    def test_the_template_stays_as_it_was(self, together):
        assert not hasattr(TEMPLATE, "weights_")
        assert TEMPLATE.random_state is None
        assert len(together[1]) == 4


class TestUse:
    """Arguments and endings."""

    def test_without_betas_the_templates_is_taken(self, curves):
        template = BetaVAE(hidden_layer_sizes=(4,), max_epochs=1, beta=3.5)
        assert [m.beta for m in fit_many(curves, seeds=[0], model=template)] == [3.5]

    @pytest.mark.parametrize("options", [{"seeds": []}, {"seeds": [0], "betas": []}])
    def test_no_model_at_all_is_refused(self, curves, options):
        with pytest.raises(InputError, match="seeds and betas must name at least one model"):
            fit_many(curves, **options)

    @pytest.mark.slow
    @pytest.mark.parametrize("way", ["threads", "vmap"])
    def test_every_model_knows_the_names_of_the_columns(self, curves, way):
        framed = pd.DataFrame(curves, columns=[f"t{sample}" for sample in range(24)])
        template = BetaVAE(hidden_layer_sizes=(4,), max_epochs=1)
        for model in fit_many(framed, seeds=range(2), model=template, way=way):
            assert list(model.feature_names_in_) == list(framed.columns)

    @pytest.mark.slow
    @pytest.mark.parametrize(("way", "calls"), [("threads", 0), ("vmap", 1)])
    def test_the_way_asked_for_is_taken(self, curves, monkeypatch, way, calls):
        seen, together = [], many.train_together

        def noted(*arguments):
            seen.append(arguments)
            return together(*arguments)

        monkeypatch.setattr(many, "train_together", noted)
        fit_many(curves, seeds=[0], model=BetaVAE(hidden_layer_sizes=(4,), max_epochs=1), way=way)
        assert len(seen) == calls

    @pytest.mark.parametrize("options", [{"seeds": 5}, {"seeds": [0], "betas": 2.0}])
    def test_a_number_in_place_of_numbers_is_refused(self, curves, options):
        with pytest.raises(InputError, match="must be a sequence of numbers"):
            fit_many(curves, **options)

    def test_an_unknown_way_is_refused(self, curves):
        with pytest.raises(InputError, match="way must be one of auto, threads, vmap"):
            fit_many(curves, seeds=[0], way="processes")

    @pytest.mark.slow
    @pytest.mark.parametrize("way", ["threads", "vmap"])
    def test_each_model_is_handed_over_when_it_is_done(self, curves, way):
        seen, template = [], BetaVAE(hidden_layer_sizes=(4,), max_epochs=1)
        models = fit_many(curves, seeds=range(3), model=template, way=way, on_fit=seen.append)
        assert {id(model) for model in seen} == {id(model) for model in models}
        assert all(hasattr(model, "weights_") for model in seen)

    @pytest.mark.parametrize("way", ["threads", "vmap"])
    def test_a_failure_is_raised(self, curves, way):
        template = BetaVAE(hidden_layer_sizes=(4,), max_epochs=1, learning_rate=1e30)
        with pytest.raises(NumericalError, match="loss must stay finite"):
            fit_many(curves, seeds=range(2), model=template, way=way)

    def test_an_interruption_stops_the_others_soon(self, curves):
        def interrupt(_):
            raise KeyboardInterrupt

        # Whichever ends first interrupts; nobody trains the 10⁶ epochs of the rest.
        template = BetaVAE(
            hidden_layer_sizes=(4,), max_epochs=10**6, patience=1, learning_rate=1e-2
        )
        slow = BetaVAE(
            hidden_layer_sizes=(4,), max_epochs=10**6, patience=10**6, learning_rate=1e-2
        )
        with pytest.raises(KeyboardInterrupt):
            fit_many(curves, seeds=[0], model=template, way="threads", on_fit=interrupt)
        before = threading.active_count()
        models = [template, slow]
        from latent_nmr.models.many import fit_in_threads

        with pytest.raises(KeyboardInterrupt):
            fit_in_threads(models, curves, interrupt)
        assert threading.active_count() <= before

"""Training: order of rows, best epoch, early stopping, losses that leave the finite numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latent_nmr.errors import NumericalError
from latent_nmr.models.networks import Architecture, graph_of
from latent_nmr.models.training import (
    Objective,
    Schedule,
    evaluate,
    run_epoch,
    shuffled_rows,
    train,
)

ARCHITECTURE = Architecture(n_features=24, hidden_layer_sizes=(8,), n_components=2)


def fit(rows, *, learning_rate=1e-2, patience=3, max_epochs=60, **options):
    schedule = Schedule(
        batch_size=32,
        min_epoch_steps=5,
        max_epochs=max_epochs,
        patience=patience,
        learning_rate=learning_rate,
    )
    options = {"likelihood": "gaussian", "key": jax.random.key(0)} | options
    return train(
        rows[:150],
        rows[150:],
        ARCHITECTURE,
        objective=Objective(2.0, 0.05),
        schedule=schedule,
        **options,
    )


@pytest.fixture(scope="module")
def result(curves):
    return fit(curves, max_epochs=400)


class TestEarlyStopping:
    """When training stops and whose weights it returns."""

    def test_the_weights_returned_are_those_of_the_best_epoch(self, result, curves):
        losses = [record.validation_reconstruction for record in result.history]
        assert result.best_epoch == 1 + int(np.argmin(losses))
        validation_key = jax.random.split(jax.random.key(0), 3)[2]
        again = evaluate(
            graph_of(ARCHITECTURE),
            result.state,
            jnp.asarray(curves[150:]),
            0.05,
            validation_key,
            likelihood="gaussian",
        )
        assert float(again.reconstruction) == min(losses)

    def test_it_stops_patience_epochs_after_the_best(self, result):
        assert result.stop_reason == "validation reconstruction stopped improving"
        assert len(result.history) == result.best_epoch + 3

    def test_it_stops_at_max_epochs(self, curves):
        result = fit(curves, max_epochs=2)
        assert len(result.history) == 2
        assert result.stop_reason == "max_epochs reached"

    def test_every_epoch_is_reported_as_it_ends(self, curves):
        seen = []
        result = fit(curves, max_epochs=3, on_epoch=seen.append)
        assert seen == result.history
        assert [record.epoch for record in seen] == [1, 2, 3]

    def test_the_kl_is_the_sum_over_its_axes(self, result):
        for record in result.history:
            total = sum(record.validation_kl_per_axis)
            assert record.validation_kl == pytest.approx(total, rel=1e-6)

    def test_training_lowers_the_loss(self, result):
        first, best = result.history[0], result.history[result.best_epoch - 1]
        assert best.validation_reconstruction < 0.5 * first.validation_reconstruction


class TestNotFinite:
    """Losses that leave the finite numbers."""

    def test_no_finite_epoch_is_a_numerical_error(self, curves):
        with pytest.raises(NumericalError, match=r"loss must stay finite.*Lower the learning rate"):
            fit(np.full_like(curves, np.nan))

    def test_the_last_finite_best_weights_are_kept(self, curves):
        # Steps of this size blow the log-variance up: at first far, then beyond float32.
        for learning_rate in np.geomspace(2, 10, 12):
            try:
                exploded = fit(curves, learning_rate=float(learning_rate), patience=50)
            except NumericalError:
                continue
            if exploded.stop_reason == "loss not finite":
                break
        assert exploded.stop_reason == "loss not finite"
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(exploded.state))
        assert 1 <= exploded.best_epoch < len(exploded.history)


class TestEpoch:
    """One pass over shuffled rows."""

    @pytest.mark.parametrize(("n_rows", "length"), [(10, 10), (10, 12), (10, 35), (128, 50)])
    def test_rows_come_in_whole_shuffles_one_after_another(self, n_rows, length):
        rows = np.asarray(shuffled_rows(jax.random.key(0), n_rows, length))
        assert rows.shape == (length,)
        for start in range(0, length, n_rows):
            piece = rows[start : start + n_rows]
            assert len(set(piece.tolist())) == len(piece)
            assert set(piece.tolist()) <= set(range(n_rows))
        counts = np.bincount(rows, minlength=n_rows)
        assert counts.max() - counts.min() <= 1

    def test_shuffles_differ(self):
        rows = np.asarray(shuffled_rows(jax.random.key(0), 50, 100))
        assert (rows[:50] != rows[50:]).any()

    def test_a_vanishing_learning_rate_leaves_weights_and_reports_the_mean_loss(self, curves):
        state = fit(curves, max_epochs=1).state
        import optax

        after, _, parts = run_epoch(
            graph_of(ARCHITECTURE),
            state,
            optax.adam(0.0).init(state),
            jnp.asarray(curves[:150]),
            Objective(2.0, 0.05),
            0.0,
            jax.random.key(1),
            likelihood="gaussian",
            n_batches=3,
            batch_size=50,
        )
        assert all(
            (a == b).all()
            for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(state), strict=True)
        )
        expected = evaluate(
            graph_of(ARCHITECTURE),
            state,
            jnp.asarray(curves[:150]),
            0.05,
            jax.random.key(2),
            likelihood="gaussian",
        )
        # The KL needs no latent sample, so both are the same mean over the same rows.
        np.testing.assert_allclose(parts.kl, expected.kl, rtol=1e-5)

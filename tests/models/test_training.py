"""Training: order of rows, best epoch, early stopping, losses that leave the finite numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from latent_nmr.errors import NumericalError
from latent_nmr.models.epochs import Objective, evaluate, run_epoch, shuffled_rows
from latent_nmr.models.networks import graph_of
from latent_nmr.models.schedule import EpochRecord, Schedule, best_epoch, stop_reason
from tests.models import problems
from tests.models.problems import ARCHITECTURE, VALIDATION_ROWS, same, small_problem


def fit(rows, **options):
    """A training of several epochs that makes quick progress."""
    usual = {"learning_rate": 1e-2, "patience": 3, "max_epochs": 60}
    usual |= {"batch_size": 32, "min_epoch_steps": 5}
    return problems.fit(rows, **(usual | options))


@pytest.fixture(scope="module")
def result(curves):
    return fit(curves, max_epochs=400)


class TestEarlyStopping:
    """When training stops and whose weights it returns."""

    def test_the_weights_returned_are_those_of_the_best_epoch(self, result, curves):
        losses = [record.validation_reconstruction for record in result.history]
        assert result.best_epoch == 1 + int(np.argmin(losses))
        again = evaluate(
            graph_of(ARCHITECTURE),
            result.state,
            jnp.asarray(curves),
            jnp.asarray(VALIDATION_ROWS),
            Objective(2.0, 0.05),
            small_problem().keys()[2],
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


def record(epoch, validation_reconstruction):
    """A history line of which only this matters."""
    return EpochRecord(epoch, 2.0, 1.0, 1.0, (1.0,), validation_reconstruction, 1.0, (1.0,), 0.1)


def history(*losses):
    return [record(epoch, loss) for epoch, loss in enumerate(losses, start=1)]


def schedule(**options):
    return Schedule(32, 1, 100, **({"patience": 2, "learning_rate": 1e-3} | options))


class TestWarmUp:
    """β rises over the first epochs, which do not compete for the best."""

    def test_beta_rises_by_equal_steps_from_above_nought_to_its_value(self, curves):
        found = fit(curves, warm_up_epochs=3, max_epochs=6)
        assert [record.beta for record in found.history] == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]

    def test_an_epoch_is_trained_with_the_beta_it_records(self, curves):
        # A first epoch at half of β = 4 is a first epoch at β = 2.
        warming = fit(curves, beta=4.0, warm_up_epochs=1, max_epochs=2)
        plain = fit(curves, beta=2.0, max_epochs=1)
        ours, theirs = (fit.history[0]._replace(seconds=0.0) for fit in (warming, plain))
        assert ours == theirs

    def test_the_best_epoch_is_one_at_full_beta(self):
        losses = history(1.0, 2.0, 5.0, 4.0, 4.5)
        assert best_epoch(losses, schedule(warm_up_epochs=0)) == 1
        assert best_epoch(losses, schedule(warm_up_epochs=2)) == 4

    def test_until_then_the_last_finite_epoch_counts(self):
        assert best_epoch(history(1.0, 2.0), schedule(warm_up_epochs=5)) == 2
        assert best_epoch(history(1.0, 2.0, np.nan), schedule(warm_up_epochs=5)) == 2
        assert best_epoch(history(np.nan), schedule(warm_up_epochs=5)) == 0

    def test_patience_counts_from_the_end_of_the_warm_up(self):
        plan = schedule(warm_up_epochs=4, patience=2)
        for length, stops in ((5, False), (6, False), (7, True)):
            losses = history(*range(1, length + 1))
            reason = stop_reason(losses, best_epoch(losses, plan), plan)
            assert reason.startswith("validation") == stops

    def test_of_equal_epochs_the_first_is_best(self):
        assert best_epoch(history(3.0, 2.0, 2.0), schedule()) == 2


class TestLearningRate:
    """Each epoch has its own."""

    def test_an_epoch_is_trained_at_its_rate(self, curves):
        # With forty epochs the first of two rising ones has half of the rate.
        rising = fit(curves, learning_rate=0.02, max_epochs=40, patience=1, schedule="cosine")
        half, whole = (fit(curves, learning_rate=rate, max_epochs=1) for rate in (0.01, 0.02))
        first = [found.history[0]._replace(seconds=0.0) for found in (rising, half, whole)]
        assert first[0] == first[1] != first[2]


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
        after, _, parts = run_epoch(
            graph_of(ARCHITECTURE),
            state,
            optax.adam(0.0).init(state),
            jnp.asarray(curves),
            jnp.arange(150),
            Objective(2.0, 0.05),
            0.0,
            jax.random.key(1),
            likelihood="gaussian",
            n_batches=3,
            batch_size=50,
        )
        assert same(after, state)
        expected = evaluate(
            graph_of(ARCHITECTURE),
            state,
            jnp.asarray(curves),
            jnp.arange(150),
            Objective(2.0, 0.05),
            jax.random.key(2),
            likelihood="gaussian",
        )
        # The KL needs no latent sample, so both are the same mean over the same rows.
        np.testing.assert_allclose(parts.kl, expected.kl, rtol=1e-5)

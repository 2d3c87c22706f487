"""EchoPosterior on rows of a formula: a density on the prior's support, its draws, its files."""

import json

import numpy as np
import pytest
import scipy.stats
from sklearn.base import clone

from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.model_folder import ModelFileError
from latent_nmr.models.posterior.echo_posterior import EchoPosterior
from tests.models.posterior.conftest import PARAMETERS, labels_of, rows_of_a_formula
from tests.models.posterior.test_receiver import turned

N_DRAWS = 4000


def repeated(rows, number, n_times):
    """One row again and again, with its angle."""
    return np.repeat(rows.X[number : number + 1], n_times, axis=0), rows.angles[number]


class TestDensity:
    """p(kernel, parameters | row) is a density on the support of the prior, and draws follow it."""

    def test_it_integrates_to_one_on_the_support(self, model, held_out):
        prior = model.prior_.draw(N_DRAWS, np.random.RandomState(3))
        for number in range(3):
            X, angle = repeated(held_out, number, N_DRAWS)
            ratio = np.exp(model.information(X, labels_of(prior), angle, snr=20))
            # A mean over the prior of the ratio to it is the integral.
            assert ratio.mean() == pytest.approx(1, abs=5 * ratio.std() / np.sqrt(N_DRAWS))

    def test_draws_and_density_are_of_one_law(self, model, held_out):
        # With p the posterior and q the prior, E_p[q/(p + q)] = E_q[p/(p + q)]; both are bounded.
        prior = model.prior_.draw(N_DRAWS, np.random.RandomState(4))
        for number in range(3):
            X, angle = repeated(held_out, number, N_DRAWS)
            drawn = model.sample(X[:1], angle, snr=20, n_draws=N_DRAWS)
            own = type(drawn)(*(part[0] for part in drawn))
            of_draws = model.information(X, labels_of(own), angle, snr=20)
            of_prior = model.information(X, labels_of(prior), angle, snr=20)
            left, right = 1 / (1 + np.exp(of_draws)), 1 / (1 + np.exp(-of_prior))
            error = np.hypot(left.std(), right.std()) / np.sqrt(N_DRAWS)
            assert left.mean() == pytest.approx(right.mean(), abs=4 * error)

    def test_log_prob_is_information_and_the_density_of_the_prior(self, model, held_out):
        X, y, angles = held_out.X, held_out.y, held_out.angles
        rest = model.log_prob(X, y, angles) - model.information(X, y, angles)
        # α are in MHz: the area of allowed couplings is under 0.09² MHz².
        assert np.ptp(rest[held_out.materials.kernel == 0]) < 1e-6
        assert rest.min() > -np.log(3) - np.log(0.09**2) - np.log(52 - 13)

    def test_no_draw_leaves_the_support(self, model, held_out):
        drawn = model.sample(held_out.X, held_out.angles, n_draws=200, snr=10)
        assert model.prior_.leaked(drawn) == 0
        assert ((drawn.W >= 0.1 - 1e-9) & (drawn.W <= 0.3 + 1e-9)).all()

    def test_shares_of_kernels_are_those_of_draws(self, model, held_out):
        shares = model.predict_kernel_proba(held_out.X[:5], held_out.angles[:5])
        drawn = model.sample(held_out.X[:5], held_out.angles[:5], n_draws=N_DRAWS).kernel
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
        found = (drawn[:, :, None] == np.arange(3)).mean(axis=1)
        np.testing.assert_allclose(found, shares, atol=4 * 0.5 / np.sqrt(N_DRAWS))


class TestKnowledge:
    """What a row says is found, and what it does not say is not."""

    def test_what_the_row_holds_is_learned(self, model, held_out):
        drawn = model.sample(held_out.X, held_out.angles, snr=500, n_draws=200)
        spread = drawn.alpha_x.std(axis=1).mean() / held_out.materials.alpha_x.std()
        assert spread < 0.35
        close = np.corrcoef(drawn.alpha_x.mean(axis=1), held_out.materials.alpha_x)[0, 1]
        assert close > 0.95

    def test_what_the_row_does_not_hold_keeps_its_prior(self, model, held_out):
        # Kernel and its parameter do nothing in the formula.
        drawn = model.sample(held_out.X, held_out.angles, n_draws=100)
        kernel = drawn.kernel
        ends = np.array(list(model.prior_.kernel_ranges.values()))[kernel]
        place = (drawn.kernel_parameter - ends[..., 0]) / (ends[..., 1] - ends[..., 0])
        assert place.std(axis=1).mean() == pytest.approx(1 / np.sqrt(12), rel=0.15)
        shares = model.predict_kernel_proba(held_out.X, held_out.angles)
        assert np.abs(shares - 1 / 3).mean() < 0.1

    def test_a_network_of_rows_that_say_nothing_gives_the_prior(self, training):
        rng = np.random.default_rng(0)
        X = rng.normal(size=training.X.shape).astype(np.float32)
        labels = {name: own[:50] for name, own in training.y.items()}
        lost = []
        for n_epochs in (2, 30):
            settings = {**PARAMETERS, "max_epochs": n_epochs, "learning_rate": 1e-3}
            model = EchoPosterior((8,), **settings).fit(X, training.y, training.angles)
            drawn = model.sample(X[:50], training.angles[:50], n_draws=200)
            prior = model.prior_.draw(10_000, np.random.RandomState(0))
            lost.append(-model.score(X[:50], labels, training.angles[:50]))
            # Pinsker: no share differs by more than the root of half the divergence. Two samples of
            # 10,000 differ by 0.023 in less than 1 of 100.
            most = np.sqrt(max(lost[-1], 0) / 2) + 0.023
            for name in ("alpha_x", "alpha_z"):
                apart = scipy.stats.ks_2samp(getattr(drawn, name).ravel(), getattr(prior, name))
                assert apart.statistic < most
        # Random weights say something; training takes it away.
        assert abs(lost[1]) < abs(lost[0])

    def test_a_clearer_record_says_more(self, model, held_out):
        rng = np.random.default_rng(0)
        noise = rng.normal(size=held_out.X.shape).astype(np.float32)
        said = [
            model.score(held_out.X + noise / snr, held_out.y, held_out.angles, snr=snr)
            for snr in (10, 100, 1000)
        ]
        assert said[0] + 0.2 < said[1] < said[2] + 0.05

    def test_a_trusted_phase_says_more_of_alpha_z(self, model, held_out):
        X, angles = held_out.X, held_out.angles
        spreads = [
            model.sample(X, angles, phase=phase, snr=500, n_draws=200).alpha_z.std(axis=1).mean()
            for phase in (True, False)
        ]
        assert spreads[0] < 0.8 * spreads[1]


class TestReceiver:
    """What the receiver does to all samples alike changes nothing."""

    @pytest.mark.parametrize("phase", [True, False])
    def test_gain_and_phase_change_no_answer(self, model, held_out, phase):
        X, y, angles = held_out.X, held_out.y, held_out.angles
        factors = np.random.default_rng(0).uniform(0.1, 9, (len(X), 1)) * np.exp(
            1j * np.random.default_rng(1).uniform(0, 7, (len(X), 1))
        )
        expected = model.log_prob(X, y, angles, phase=phase)
        found = model.log_prob(turned(X, factors), y, angles, phase=phase)
        np.testing.assert_allclose(found, expected, atol=0.02)

    def test_without_trust_in_the_phase_only_the_amplitude_counts(self, model, held_out):
        X, y, angles = held_out.X, held_out.y, held_out.angles
        t = np.linspace(0, 1, X.shape[1] // 2)[None]
        wound = turned(X, np.exp(1j * (3 * t + 5 * t**2)))
        kept, found = (
            [model.log_prob(rows, y, angles, phase=phase) for rows in (X, wound)]
            for phase in (False, True)
        )
        np.testing.assert_allclose(kept[1], kept[0], atol=0.02)
        assert np.abs(found[1] - found[0]).max() > 0.5

    def test_a_row_alone_gives_what_it_gives_among_others(self, model, held_out):
        among = model.predict_kernel_proba(held_out.X, held_out.angles)[7]
        alone = model.predict_kernel_proba(held_out.X[7:8], held_out.angles[7:8])[0]
        np.testing.assert_allclose(alone, among, atol=1e-5)

    @pytest.mark.slow
    def test_the_spectrometer_takes_amplitudes_about_the_top(self):
        rng = np.random.default_rng(0)
        rows = rows_of_a_formula(60)
        width = rng.uniform(5, 12, (60, 1))
        X = np.exp(-(((np.arange(64) - 32) / width) ** 2)).astype(np.float32)
        settings = {**PARAMETERS, "max_epochs": 2, "batch_size": 32}
        model = EchoPosterior((8,), receiver="spectrometer", **settings).fit(X, rows.y, rows.angles)
        drawn = model.sample(X[:2], 90, snr=[10, 100], phase=False, n_draws=50)
        assert drawn.alpha_x.shape == (2, 50)
        assert model.prior_.leaked(drawn) == 0


class TestFit:
    def test_the_same_seed_gives_the_same_weights(self, training):
        short = {**PARAMETERS, "max_epochs": 2}
        fits = [
            EchoPosterior((8,), **short).fit(training.X, training.y, training.angles)
            for _ in range(2)
        ]
        np.testing.assert_equal(fits[0].weights_, fits[1].weights_)

    def test_a_clone_has_its_parameters_and_no_fit(self, model):
        other = clone(model)
        assert other.get_params() == model.get_params()
        assert not hasattr(other, "weights_")

    def test_rows_of_a_group_stay_together(self, training):
        groups = np.arange(len(training.X)) // 4
        short = {**PARAMETERS, "max_epochs": 1}
        model = EchoPosterior((8,), **short)
        model.fit(training.X, training.y, training.angles, groups=groups)
        kept, held = (set(groups[rows]) for rows in (model.training_rows_, model.validation_rows_))
        assert held
        assert not kept & held

    def test_the_history_ends_lower_than_it_began_and_the_best_epoch_is_kept(self, model):
        losses = [record.validation_loss for record in model.history_]
        assert losses[-1] < losses[0] - 0.5
        assert model.best_epoch_ == 1 + int(np.argmin(losses))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"receiver": "radio"}, "receiver must be one of record, spectrometer"),
            ({"n_mixtures": 0}, "n_mixtures must be a whole number"),
            ({"phase_share": 1.5}, "phase_share must be"),
            ({"carrier_error": -1}, "carrier_error must be"),
            ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must be"),
        ],
    )
    def test_a_parameter_that_cannot_be_used_is_refused(self, training, change, message):
        with pytest.raises(InputError, match=message):
            EchoPosterior(**change).fit(training.X, training.y)

    def test_a_material_outside_of_the_prior_is_refused(self, training):
        y = {**training.y, "alpha_x": training.y["alpha_x"] + 0.1}
        with pytest.raises(InputError, match="alpha_x must lie within the prior"):
            EchoPosterior((8,), **PARAMETERS).fit(training.X, y, training.angles)

    def test_as_many_materials_as_rows_are_needed(self, training):
        with pytest.raises(InputError, match="y must have one material for each of the 10 rows"):
            EchoPosterior((8,), **PARAMETERS).fit(training.X[:10], training.y)


class TestQuestions:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"flip_angle_deg": 0}, "flip_angle_deg must be"),
            ({"flip_angle_deg": [90, 90]}, "flip_angle_deg must be one number, or one for each"),
            ({"snr": 0}, "snr must be"),
            ({"phase": 0.5}, "phase must be True or False"),
            ({"n_draws": 0}, "n_draws must be"),
        ],
    )
    def test_conditions_that_cannot_be_are_refused(self, model, held_out, change, message):
        arguments = {"flip_angle_deg": 90, **change}
        with pytest.raises(InputError, match=message):
            model.sample(held_out.X[:3], **arguments)

    def test_fewer_materials_than_rows_are_refused(self, model, held_out):
        y = {name: own[:2] for name, own in held_out.y.items()}
        with pytest.raises(InputError, match="one material per row of X, but has 2"):
            model.log_prob(held_out.X[:3], y)


class TestFiles:
    """A saved model gives the numbers that it gave, and its file is believed in nothing."""

    @pytest.fixture
    def folder(self, model, tmp_path):
        model.save(tmp_path / "model", {"window": "record"})
        return tmp_path / "model"

    def test_it_gives_the_numbers_that_it_gave(self, model, folder, held_out):
        loaded = EchoPosterior.load(folder)
        X, y, angles = held_out
        y = held_out.y
        np.testing.assert_array_equal(loaded.log_prob(X, y, angles), model.log_prob(X, y, angles))
        assert loaded.prior_ == model.prior_
        assert loaded.history_ == model.history_
        assert loaded.card()["metadata"] == {"window": "record"}
        assert loaded.get_params() == model.get_params()

    def test_half_the_bytes_give_nearly_the_same(self, model, tmp_path, held_out):
        model.save(tmp_path / "half", precision="half")
        found = EchoPosterior.load(tmp_path / "half").score(held_out.X, held_out.y, held_out.angles)
        expected = model.score(held_out.X, held_out.y, held_out.angles)
        assert found == pytest.approx(expected, abs=0.02)

    def test_another_kind_of_model_is_refused(self, folder):
        with pytest.raises(ModelFileError, match="is a posterior of echoes"):
            BetaVAE.load(folder)

    @pytest.mark.parametrize(
        ("entry", "value"),
        [
            (("shape", "n_mixtures"), 10**9),
            (("shape", "n_directions"), [6]),
            (("shape", "n_directions"), [10**6, 12]),
            (("shape", "receiver"), "radio"),
            (("prior", "coupling_range"), [0.1, 0.01]),
            (("prior", "strength_range"), [4.0, 5.0]),
            (("prior", "kernel_ranges"), {"power": [1, 3]}),
            (("prior", "kernel_ranges"), None),
            (("fitted", "history"), []),
            (("fitted", "best_epoch"), 10**6),
        ],
    )
    def test_a_damaged_card_is_refused(self, folder, entry, value):
        card = json.loads((folder / "model.json").read_text("utf-8"))
        card[entry[0]][entry[1]] = value
        (folder / "model.json").write_text(json.dumps(card), "utf-8")
        with pytest.raises(ModelFileError):
            EchoPosterior.load(folder)

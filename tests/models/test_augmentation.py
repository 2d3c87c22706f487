"""What a spectrometer does to rows, on the device."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latent_nmr import BetaVAE, InputError
from latent_nmr._echo_top import REACH, find_top
from latent_nmr.data.measured import mixing
from latent_nmr.models import augmentation
from latent_nmr.models.augmentation import (
    Quality,
    augmented,
    draw_quality,
    spectrometer,
)

N_ROWS, N_SAMPLES = 256, 400
# Samples that are measured of a flat row wherever its top is thought to be.
KEPT = slice(REACH, N_SAMPLES - REACH)
STEPS = np.arange(N_SAMPLES)


def echoes(n_rows=N_ROWS, width=50.0):
    row = np.exp(-(((STEPS - N_SAMPLES // 2) / width) ** 2))
    return jnp.asarray(np.tile(row, (n_rows, 1)), jnp.float32)


def quality(n_rows=N_ROWS, *, noise=0.0, band=2.0, first=0, level=0.0, turns=0.0):
    return Quality(
        jnp.full(n_rows, noise),
        jnp.full(n_rows, band),
        jnp.broadcast_to(jnp.asarray(first <= STEPS), (n_rows, N_SAMPLES)),
        jnp.full(n_rows, level),
        jnp.full(n_rows, turns),
    )


def moved_by_half_a_sample(rows):
    """How much rows change at most, as their samples may stand anywhere between those of others.

    A tenth beside it, for the Fourier transform of 800 float32 numbers and ends that do not meet.
    """
    return 0.55 * float(np.abs(np.diff(np.asarray(rows)[0])).max())


def measured(rows, own, *, knows_gain=True, seed=0):
    made, marks = spectrometer(jax.random.key(seed), rows, own, knows_gain=knows_gain)
    return np.asarray(made), np.asarray(marks)


def test_without_noise_and_with_the_whole_band_nothing_changes():
    rows = echoes()
    made, marks = measured(rows, quality())
    assert marks.all()
    np.testing.assert_allclose(made, rows, atol=moved_by_half_a_sample(rows))


@pytest.mark.parametrize("turns", [0.0, 0.01])
def test_what_is_left_of_an_offset_has_the_size_that_is_asked_for(turns):
    n_rows = 400
    rows = echoes(n_rows, width=20.0)
    made, _ = measured(rows, quality(n_rows, level=0.1, turns=turns))
    # Far from an echo |M| is the offset alone, 0.1 √(π/2) on average; Rayleigh's distribution has
    # 0.1 √(2 - π/2) about it, and the height of a smoothed top is 0.87 of the row's 1.
    height = float(find_top(rows).height[0])
    outer = made[:, 5:60].mean(axis=1)
    error = 0.1 * height * np.sqrt(2 - np.pi / 2) / np.sqrt(n_rows)
    assert outer.mean() == pytest.approx(0.1 * height * np.sqrt(np.pi / 2), abs=4 * error)


def test_an_offset_beats_with_an_echo_at_the_frequency_it_turns_at():
    rows = 0.5 * jnp.ones((N_ROWS, N_SAMPLES), jnp.float32)
    made, _ = measured(rows, quality(level=0.02, turns=16 / len(STEPS[KEPT])))
    rest = made[:, KEPT] - made[:, KEPT].mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(rest, axis=1)).mean(axis=0)
    # The carrier's error is a fifth of a turn in the window.
    assert abs(int(spectrum.argmax()) - 16) <= 1


@pytest.mark.parametrize("band", [2.0, 0.2])
def test_noise_has_the_standard_deviation_that_is_asked_for(band):
    rows = 0.8 * jnp.ones((N_ROWS, N_SAMPLES), jnp.float32)
    noise = 0.02
    made, _ = measured(rows, quality(noise=noise, band=band))
    made = made[:, KEPT]
    # |M + n| of a large M is M plus the part of n along it, and of 256 offsets of a tenth of it.
    n_values = made.size * min(band, 1)  # that are independent
    expected = 0.8 * noise * np.sqrt(1 + augmentation.LEVEL_ERROR**2)
    assert made.std() == pytest.approx(expected, rel=4 / np.sqrt(2 * n_values))


def test_noise_of_a_narrow_band_is_correlated_as_its_spectrum_says():
    band = 0.1
    rows = 0.8 * jnp.ones((N_ROWS, N_SAMPLES), jnp.float32)
    made = measured(rows, quality(noise=0.02, band=band))[0][:, KEPT]
    power = np.mean(np.abs(np.fft.fft(made - made.mean(axis=1, keepdims=True))) ** 2, axis=0)
    frequency = np.abs(2 * np.fft.fftfreq(made.shape[1]))
    beyond = power[frequency > 1.5 * band].sum() / power.sum()
    # White noise has 85 % of its power there; the ends of the window leak a little.
    assert beyond < 0.1


def test_the_band_is_limited_as_records_are():
    dwell, band = 0.16, 0.3
    made, _ = measured(echoes(1), quality(1, band=2 * dwell * band))
    theirs = np.abs(mixing.band_limit(np.asarray(echoes(1)), dwell, band))
    # A record's filter leaves out what is beyond its ends, that of rows goes on with the last;
    # rows are moved by up to half a sample.
    change = moved_by_half_a_sample(echoes(1))
    np.testing.assert_allclose(made[:, 20:-20], theirs[:, 20:-20], atol=change)


def test_rows_of_unknown_gain_do_not_depend_on_it():
    rows, own = echoes(32), quality(32, noise=0.1, band=0.3)
    once, other = (measured(g * rows, own, knows_gain=False)[0] for g in (1.0, 7.0))
    np.testing.assert_allclose(once, other, rtol=2e-3, atol=1e-5)
    assert once.min() >= 0
    assert once.max() <= 1


def test_what_is_not_measured_is_nought_and_the_rest_stays_where_the_top_is():
    rows = echoes(8)
    made, marks = measured(rows, quality(8, first=170))
    assert not made[~marks].any()
    np.testing.assert_allclose(
        made[marks], np.asarray(rows)[marks], atol=moved_by_half_a_sample(rows)
    )
    assert (marks.sum(axis=1) == N_SAMPLES - 170).all()


def test_a_half_echo_is_centred_on_its_first_samples():
    rows = echoes(8)
    made, marks = measured(rows, quality(8, noise=1e-4, first=200))
    # Samples stand half of one beside those of the row, at most; one beside the top the row is
    # lower by 1/50² = 4e-4, three times what noise differs by from sample to sample.
    assert (np.abs(np.argmax(made, axis=1) - 200) <= 1).all()
    assert not marks[:, :195].any()


def test_the_top_is_looked_for_about_two_tau_where_that_is_known():
    # A spike 50 samples before the top of the echo, which 2τ is 40 samples after or before.
    rows = 0.1 * (np.asarray(echoes(2)) + 6 * np.exp(-(((STEPS - 150) / 5) ** 2)))
    own = quality(2)._replace(delay=jnp.asarray([-40, 40]))
    seen, _ = measured(jnp.asarray(rows, jnp.float32), own)
    spike = seen.argmax(axis=1) - N_SAMPLES // 2
    # The slope of the echo moves the smoothed top of the spike a little.
    assert spike[0] == pytest.approx(-50, abs=2)
    assert spike[1] == pytest.approx(0, abs=2)


def test_draws_cover_what_they_are_said_to():
    drawn = draw_quality(jax.random.key(1), 4000, N_SAMPLES)
    snr = 1 / np.asarray(drawn.noise)
    assert snr.min() >= augmentation.LEAST_SNR * 0.999
    assert snr.max() <= 1.001 * augmentation.MOST_SNR
    # Log-uniform: half lie below the geometric mean, ± 4 standard errors.
    assert np.mean(snr < 30) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(4000))
    marks = np.asarray(drawn.measured)
    late = marks[:, 0] == 0
    expected = augmentation.DEAD_TIME + augmentation.HALF_ECHO
    assert late.mean() == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(4000))
    assert marks[:, 205:230].all()  # the top is always there


def test_draws_differ_between_keys_and_rows_but_not_between_calls():
    rows = echoes(4)
    one, same, other = (
        np.asarray(augmented(jax.random.key(seed), rows, "spectrometer")) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other, atol=1e-3)
    assert not np.allclose(one[0], one[1], atol=1e-3)


def small(**given):
    own = {"hidden_layer_sizes": (16,), "max_epochs": 12, "min_epoch_steps": 10, "patience": 12}
    return BetaVAE(**{**own, "random_state": 0, **given})


def family(n_rows=120):
    widths = np.random.default_rng(0).uniform(10, 90, n_rows)[:, None]
    return 0.75 * np.exp(-np.abs(STEPS - N_SAMPLES // 2) / widths).astype(np.float32), widths[:, 0]


@pytest.mark.slow
def test_an_encoder_that_has_seen_noise_is_moved_less_by_it():
    X, _ = family()
    own = quality(len(X), noise=0.1, band=0.5)
    noisy, _ = measured(jnp.asarray(X), own, knows_gain=False)
    moved = []
    for augment in (None, "spectrometer"):
        vae = small(augment=augment).fit(X)
        clean = vae.transform(X)[:, 0]
        moved.append(np.std(vae.transform(noisy)[:, 0] - clean) / np.std(clean))
    assert moved[1] < 0.8 * moved[0]


def test_without_augmentation_not_a_bit_changes_and_with_it_all_do():
    X, _ = family(40)
    plain, again, other = (
        small(augment=augment).fit(X).transform(X) for augment in (None, None, "spectrometer-m0")
    )
    np.testing.assert_array_equal(plain, again)
    assert not np.allclose(plain, other)


def test_saved_models_keep_their_augmentation(tmp_path):
    X, _ = family(40)
    vae = small(augment="spectrometer").fit(X)
    vae.save(tmp_path / "model")
    again = BetaVAE.load(tmp_path / "model")
    assert again.augment == "spectrometer"
    np.testing.assert_array_equal(again.transform(X), vae.transform(X))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"augment": "receiver"}, "augment must be one of"),
        ({"augment": "spectrometer", "principal_components": 8}, "principal_components must be"),
    ],
)
def test_what_cannot_be_augmented_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        small(**given).fit(family(40)[0])


def test_a_training_that_was_cut_short_goes_on_to_the_same_weights(tmp_path):
    X, _ = family(40)
    whole = small(augment="spectrometer", max_epochs=6).fit(X)
    checkpoint = tmp_path / "progress"

    def stop(record):
        if record.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(augment="spectrometer", max_epochs=6).fit(X, checkpoint=checkpoint, on_epoch=stop)
    again = small(augment="spectrometer", max_epochs=6).fit(X, checkpoint=checkpoint)
    for name, array in whole.weights_.items():
        np.testing.assert_array_equal(again.weights_[name], array)

"""Amplitude and local frequency: laws of the features, and the way back to complex curves."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import latent_nmr as ln
from latent_nmr.data.feature_layout import part_metadata, part_of_metadata
from latent_nmr.data.polar import amplitudes_and_frequencies, echoes_of, grid_of

# A scale that cuts nothing of these curves.
POLAR = ln.Polar(frequency_scale=0.05)
DT, N_TIME, ECHO = 1 / (2 * np.pi), 1000, 700
TIME = DT * np.arange(N_TIME)
# Rounding of M, as a phase, at the smallest |M| that counts: 2^-24 over the root of w² a.
ROUNDING = 1e-6


def phases(time, frequency, chirp=0.02):
    """Cycles of frequencies (MHz) that swing by `chirp` within 60 µs."""
    return np.outer(frequency, time) + chirp * 10 * (1 - np.cos((time - time[0]) / 10))


def curves(time=TIME, n_curves=4, frequency=0.01, seed=0, chirp=0.02):
    """Decay and echo, |M(0)| = 1/2, of random width, phase and frequency."""
    rng = np.random.default_rng(seed)
    width, height, turn, own = rng.uniform([12, 0.2, 0, -1], [20, 0.6, 6, 1], (n_curves, 4)).T
    centre = 0.7 * time[-1]
    shape = np.exp(-time / 12) + np.outer(height, np.ones_like(time)) * np.exp(
        -(((time - centre) / width[:, None]) ** 2)
    )
    M = shape * np.exp(2j * np.pi * phases(time, frequency * own, chirp) + 1j * turn[:, None])
    return M / (2 * np.abs(M[:, :1]))


def features(M, time=TIME, part=POLAR, window="echo"):
    return ln.EchoFeatures(time, window, part, echo_time=time[7 * len(time) // 10]).fit_transform(M)


def data_set(M):
    dims = ("curve", "time")
    return xr.Dataset(
        {"mx": (dims, M.real), "my": (dims, M.imag)}, {"time": TIME}, {"echo_index": ECHO}
    )


def pair_set(M):
    dims = ("protocol", "curve", "time")
    return xr.Dataset(
        {"mx": (dims, M.real), "my": (dims, M.imag)}, {"time": TIME}, {"echo_index": ECHO}
    )


class TestFrequencies:
    """What a column of frequencies says."""

    @given(
        st.sampled_from([0.01, 1 / (4 * np.pi), DT, 2 * DT, 0.5, 1.25, 2.5, 2.6]),
        st.floats(-0.18, 0.18),
    )
    def test_a_line_has_its_frequency_at_any_interval_of_samples(self, step, frequency):
        time = step * np.arange(2000 if step < 0.1 else 60)
        part = ln.Polar(frequency_scale=0.5)
        grid = grid_of(time, part)
        decay = np.exp(-time / 40)
        M = decay * np.exp(2j * np.pi * frequency * time)
        (amplitudes,), found = amplitudes_and_frequencies([M[None]], grid, part)
        a = decay[grid.starts] * decay[grid.starts + grid.n_lag]
        np.testing.assert_allclose(found[0], frequency * a / (a + 0.002), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(amplitudes[0], decay[grid.amplitudes], rtol=1e-12)
        assert abs(grid.lag - 2.5) <= 0.25
        assert grid.middles[-1] + grid.lag / 2 <= time[-1] * (1 + 1e-12)

    def test_times_of_the_published_sets_give_lags_of_16_and_8_samples(self):
        for n, lag, strides in ((1, 16, (2, 4)), (2, 8, (1, 2))):
            grid = grid_of(n * TIME, POLAR)
            assert (grid.n_lag, grid.amplitudes[1], grid.starts[1]) == (lag, *strides)

    @given(st.floats(-7, 7), st.integers(0, 99))
    def test_no_phase_of_a_receiver_changes_anything(self, phase, seed):
        M = curves(seed=seed)
        for dtype, rounding in ((np.complex128, 1e-12), (np.complex64, ROUNDING)):
            turned = (M * np.exp(1j * phase)).astype(dtype)
            wanted = features(M.astype(dtype))
            np.testing.assert_allclose(features(turned), wanted, rtol=0, atol=rounding)

    @given(st.floats(-0.1, 0.1), st.sampled_from([-2, -1, 0, 1]))
    def test_a_carrier_adds_its_offset_and_comes_back_from_the_other_side_of_the_band(
        self, offset, turns
    ):
        part = ln.Polar(frequency_scale=0.3)
        M, grid = curves()[:, 500:900], grid_of(TIME[500:900], part)
        moved = M * np.exp(2j * np.pi * (offset + turns / grid.lag) * TIME[500:900])
        (A,), before = amplitudes_and_frequencies([M], grid, part)
        (B,), after = amplitudes_and_frequencies([moved], grid, part)
        a = np.abs(M[:, grid.starts] * M[:, grid.starts + grid.n_lag])
        np.testing.assert_allclose(after - before, offset * a / (a + 0.002), atol=1e-12)
        np.testing.assert_allclose(A, B, rtol=1e-12)

    def test_where_m_vanishes_the_frequency_is_that_of_the_carrier(self):
        rng = np.random.default_rng(0)
        M = curves()
        M[:, 600:650] = 0
        M[:, 750:] = 1e-4 * (rng.normal(size=(4, 250)) + 1j * rng.normal(size=(4, 250)))
        frequency = ln.feature_blocks(TIME[500:900], POLAR)[1]
        X = features(M)[:, frequency.columns]
        assert np.isfinite(X).all()
        is_zero = (frequency.time > TIME[600]) & (frequency.time < TIME[650])
        assert (X[:, is_zero] == 0.5).all()
        # 0.2 MHz of the band over 0.05, a of 1e-8 over |M(0)|² over the floor.
        assert np.abs(X[:, frequency.time > TIME[770]] - 0.5).max() < 2e-3

    def test_samples_outside_the_window_do_not_matter(self):
        M = curves()
        spoilt = M.copy()
        spoilt[:, 1:500] = 0.3
        spoilt[:, 900:] = 0.3j
        np.testing.assert_array_equal(features(spoilt), features(M))

    def test_the_scale_is_cut_at(self):
        M = curves(frequency=0.1, chirp=0)
        wide, narrow = (
            part.frequency_scale * (2 * features(M, part=part)[:, 200:] - 1)
            for part in (ln.Polar(frequency_scale=0.2), ln.Polar(frequency_scale=0.03))
        )
        np.testing.assert_allclose(np.clip(wide, -0.03, 0.03), narrow, atol=1e-12)
        assert np.abs(wide).max() > 0.03


class TestPair:
    """Two echoes of one material."""

    @given(st.floats(-3, 3), st.floats(-7, 7), st.floats(-7, 7), st.integers(0, 99))
    def test_no_carrier_and_no_phase_changes_anything(self, offset, one, two, seed):
        M = curves(seed=seed)[:, 500:900], curves(seed=seed + 1)[:, 500:900]
        turn = 2j * np.pi * offset * TIME[500:900]
        moved = [m * np.exp(turn + 1j * phase) for m, phase in zip(M, (one, two), strict=True)]
        for dtype in (np.complex128, np.complex64):
            grid = grid_of(TIME[500:900], POLAR)
            before, after = (
                amplitudes_and_frequencies([m.astype(dtype) for m in pair], grid, POLAR)
                for pair in (M, moved)
            )
            scale = POLAR.frequency_scale
            np.testing.assert_allclose(after[1] / scale, before[1] / scale, rtol=0, atol=1e-6)
            np.testing.assert_allclose(after[0], before[0], rtol=0, atol=1e-6)

    def test_it_is_half_the_difference_of_the_frequencies(self):
        grid = grid_of(TIME, POLAR)
        M = [np.exp(2j * np.pi * frequency * TIME)[None] for frequency in (0.06, -0.02)]
        _, found = amplitudes_and_frequencies(M, grid, POLAR)
        np.testing.assert_allclose(found, 0.04 / 1.002, rtol=1e-9)
        _, found = amplitudes_and_frequencies([M[0], 0.1 * M[1]], grid, POLAR)
        a = 2 * 0.01 / 1.01  # the harmonic mean of 1 and 0.01
        np.testing.assert_allclose(found, 0.04 * a / (a + 0.002), rtol=1e-9)

    @given(st.floats(-3, 3), st.floats(-7, 7), st.floats(-7, 7))
    def test_a_data_set_of_two_protocols_has_features_that_no_carrier_changes(self, f, one, two):
        M = np.stack([curves(seed=0), curves(seed=1)])
        turns = np.array([one, two])[:, None, None] + 2 * np.pi * f * TIME
        before, after = (ln.features(pair_set(m), part=POLAR) for m in (M, M * np.exp(1j * turns)))
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-6)

    def test_blocks_of_a_pair_are_both_amplitudes_and_one_difference(self):
        ds = pair_set(np.stack([curves(seed=0), curves(seed=1)]))
        X = ln.features(ds, part=POLAR)
        blocks = ln.feature_blocks(ln.window_time(ds, "echo"), POLAR)
        assert [block.name for block in blocks] == ["|M|", "|M|", "w (ν₁ - ν₂)/2"]
        assert [block.protocol for block in blocks[:2]] == ["1", "2"]
        assert blocks[-1].columns == slice(400, 496)
        assert X.shape == (4, 496)
        alone = [ln.features(ds.isel(protocol=n), part=POLAR)[:, :200] for n in (0, 1)]
        np.testing.assert_array_equal(np.hstack(alone), X[:, :400])

    @pytest.mark.parametrize(
        ("angles", "taus"), [((60, 60), (100, 50)), ((90, 60), (100, 100)), ((60, 90, 120), None)]
    )
    def test_other_protocols_keep_frequencies_of_their_own(self, angles, taus):
        ds = pair_set(np.stack([curves(seed=seed) for seed in range(len(angles))]))
        ds = ds.assign_coords(flip_angle=("protocol", np.array(angles, float)))
        ds = ds if taus is None else ds.assign_coords(tau=("protocol", np.array(taus, float)))
        X = ln.features(ds, part=POLAR)
        alone = [ln.features(ds.isel(protocol=n), part=POLAR) for n in range(len(angles))]
        np.testing.assert_array_equal(X, np.hstack(alone))
        blocks = ln.feature_blocks(ln.window_time(ds, "echo"), POLAR, ds)
        assert [block.name for block in blocks] == ["|M|", "w ν"] * len(angles)
        assert blocks[-1].columns.stop == X.shape[1]

    def test_echo_features_of_a_pair_are_those_of_the_data_set_and_lead_back(self):
        M = np.stack([curves(chirp=0), curves(chirp=0, seed=0, frequency=-0.01)])
        ds = pair_set(M)
        complex_pair = (ds["mx"] + 1j * ds["my"]).transpose("curve", "protocol", "time")
        maker = ln.EchoFeatures(TIME, part=POLAR, echo_time=TIME[ECHO]).fit(complex_pair)
        X = maker.transform(complex_pair)
        np.testing.assert_allclose(X, ln.features(ds, part=POLAR), atol=1e-6)
        assert len(maker.get_feature_names_out()) == X.shape[1] == 496
        first, second = maker.inverse_transform(X).swapaxes(0, 1)
        np.testing.assert_allclose(first, np.conj(second), atol=1e-6)
        wanted = M[0] * np.exp(-1j * np.angle(M[0][:, [ECHO]]))
        near = slice(ECHO - 60, ECHO + 60)
        np.testing.assert_allclose(first[:, 140:260], wanted[:, near], atol=1e-3)

    def test_echoes_come_back_with_opposite_phases(self):
        M = curves(chirp=0), curves(chirp=0, seed=0, frequency=-0.01)
        grid = grid_of(TIME, POLAR)
        amplitudes, frequencies = amplitudes_and_frequencies(M, grid, POLAR)
        one, two = echoes_of(amplitudes, frequencies, grid, POLAR, ECHO)
        np.testing.assert_allclose(one, np.conj(two), atol=1e-12)
        near = slice(ECHO - 60, ECHO + 60)
        wanted = M[0] * np.exp(-1j * np.angle(M[0][:, [ECHO]]))
        np.testing.assert_allclose(one[:, near], wanted[:, near], atol=1e-3)


class TestInverse:
    """Features back to complex curves."""

    @given(st.integers(0, 99), st.sampled_from([1, 2]))
    def test_curves_come_back_up_to_their_phase(self, seed, n):
        time, M = n * TIME, curves(n * TIME, seed=seed)
        transformer = ln.EchoFeatures(time, part=POLAR, echo_time=time[ECHO])
        back = transformer.inverse_transform(transformer.fit_transform(M))
        inside = M[:, transformer.samples_]
        wanted = inside * np.exp(-1j * np.angle(inside[:, [200]]))
        assert back.dtype == np.complex128
        np.testing.assert_allclose(np.abs(back), np.abs(wanted), atol=1e-3 * 0.5)
        # lag²/24 d²φ/dt² is 0.003 rad here; weak samples add the error of a frequency / w.
        strong = np.abs(wanted) > 0.05 * 0.5
        assert np.abs(np.angle(back / wanted))[strong].max() < 0.03
        np.testing.assert_allclose(back[:, 200].imag, 0, atol=1e-12)

    def test_the_curve_that_comes_back_has_the_same_features(self):
        M = curves()
        transformer = ln.EchoFeatures(TIME, part=POLAR, echo_time=TIME[ECHO])
        X = transformer.fit_transform(M)
        record = np.full(M.shape, 0.5, complex)
        record[:, transformer.samples_] = transformer.inverse_transform(X)
        np.testing.assert_allclose(transformer.transform(record), X, atol=5e-3)

    def test_any_numbers_of_a_decoder_give_a_finite_curve(self):
        X = np.random.default_rng(0).random((20, 296)).astype(np.float32)
        X[0], X[1] = 0, 1
        transformer = ln.EchoFeatures(TIME, part=POLAR, echo_time=TIME[ECHO]).fit(curves())
        back = transformer.inverse_transform(X)
        assert back.dtype == np.complex64
        assert np.isfinite(back).all()


class TestColumns:
    """What the columns are."""

    def test_names_and_times(self):
        transformer = ln.EchoFeatures(TIME, part=POLAR, echo_time=TIME[ECHO]).fit(curves())
        names = transformer.get_feature_names_out()
        assert len(names) == 296 == len(set(names))
        assert (names[1], names[200]) == ("|M|(79.9 µs)", "w ν(80.9 µs)")

    def test_blocks_give_values_in_their_unit(self):
        M = curves()
        amplitude, frequency = ln.feature_blocks(TIME[500:900], POLAR)
        X = ln.features(data_set(M), part=POLAR)
        np.testing.assert_allclose(
            amplitude.values(X), 2 * np.abs(M[:, 500:900:2]), atol=1e-6, rtol=0
        )
        M = 2 * M[:, 500:900]
        product = M[:, 16::4] * np.conj(M[:, :-16:4])
        wanted = np.angle(product) / (2 * np.pi * 16 * DT)
        a = np.abs(product)
        np.testing.assert_allclose(frequency.values(X), a / (a + 0.002) * wanted, atol=1e-7)
        np.testing.assert_allclose(frequency.time, TIME[500:884:4] + 8 * DT)

    @pytest.mark.parametrize("part", ["magnitude", "real", "both", POLAR, ln.Polar(2.0, 0.1, 0.01)])
    def test_metadata_keep_the_part_with_its_settings(self, part):
        assert part_of_metadata(part_metadata(part)) == part

    def test_other_metadata_are_refused(self):
        with pytest.raises(ln.InputError, match=r"must hold lag_us, .* hold \{'lag': 2\}\. Train"):
            part_of_metadata({"part": "polar", "polar": {"lag": 2}})


class TestRefusals:
    """Data without phases, samples that do not fit, bad settings."""

    @pytest.mark.parametrize(
        ("step", "words"),
        [
            (1.0, r"2\.5 µs, and samples are 1 µs apart.*Polar\(lag=2\), or Polar\(lag=3\)"),
            (1.5, r"Polar\(lag=1\.5\), or Polar\(lag=3\)"),
            (4.0, r"such as Polar\(lag=4\)\."),
        ],
    )
    def test_a_lag_that_is_no_number_of_samples_is_refused_and_the_cure_works(self, step, words):
        time = step * np.arange(1000)
        with pytest.raises(ln.InputError, match=words):
            grid_of(time, POLAR)
        for lag in np.arange(1, 3) * step:
            assert grid_of(time, ln.Polar(lag=lag)).lag == lag

    def test_an_uneven_record_is_refused(self):
        time = TIME.copy()
        time[650:] += 0.5 * DT
        M = curves()
        with pytest.raises(ln.InputError, match=r"evenly spaced.*Interpolate"):
            features(M, time)
        # Rounding to single precision, and to a third decimal, is none.
        features(M, TIME.astype(np.float32))
        features(M, TIME.round(3))

    def test_a_window_shorter_than_the_lag_is_refused(self):
        with pytest.raises(ln.InputError, match=r"lag must be shorter than the window.*longer"):
            grid_of(TIME[:16], POLAR)
        with pytest.raises(ln.InputError, match="lag must be shorter"):
            grid_of(TIME[:1], POLAR)

    def test_times_are_asked_for(self):
        with pytest.raises(ln.InputError, match=r"time must be given.*is None\. Give the times"):
            ln.EchoFeatures(part=POLAR).fit(curves())

    def test_data_without_phases_are_refused(self):
        ds = data_set(curves())
        lengths = ds.assign(magnitude=np.hypot(ds.mx, ds.my)).drop_vars(["mx", "my"])
        with pytest.raises(ln.InputError, match=r"both mx and my.*saved with both"):
            ln.features(lengths, part=POLAR)

    @pytest.mark.parametrize("name", ["lag", "frequency_scale", "weight_floor"])
    @pytest.mark.parametrize("value", [0, -1, np.nan, "1", None])
    def test_settings_are_positive_numbers(self, name, value):
        with pytest.raises(ln.InputError, match=f"{name} must be > 0"):
            ln.Polar(**{name: value})

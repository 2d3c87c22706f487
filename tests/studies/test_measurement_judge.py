"""Verdicts, points and estimates of records whose truth is known."""

import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr import InputError
from latent_nmr.studies.measurement._instrument import Instrument, echo_widths, load_instrument
from latent_nmr.studies.measurement._judge import FALSE_ALARMS, judge
from latent_nmr.studies.measurement._reference import Reference
from latent_nmr.studies.measurement.visible import visible_echoes

DT, TAU = 1 / (2 * np.pi), 628 / (2 * np.pi)
N_TIME, ECHO = 1000, 500


@pytest.fixture(scope="module")
def instrument():
    return load_instrument("measured-echo")


def record_of(rows, *, snr=20.0, seed=0, gain=1.0, carrier=0.002, angle=0.7):
    """Raw records with rows of |M| about the middle, as an unknown receiver gives them."""
    rng = np.random.default_rng(seed)
    rows = np.atleast_2d(rows)
    time = DT * np.arange(N_TIME)
    signal = np.zeros((len(rows), N_TIME), complex)
    signal[:, ECHO - 200 : ECHO + 200] = rows
    signal *= np.exp(2j * np.pi * carrier * time + 1j * angle)
    height = rows.max(axis=1, keepdims=True)
    # White noise: the band limit of the preparation takes most of it away.
    noise = rng.standard_normal((2, *signal.shape)) * height / snr
    return xr.Dataset(
        {"signal": (("record", "time"), gain * (signal + noise[0] + 1j * noise[1]))},
        {"record": np.arange(len(rows)), "time": time},
    )


def prepared_of(record, **given):
    return ln.prepare_measurement(record, **{"pulse_separation": TAU, "grid": "full", **given})


def verdict_of(instrument, record, **given):
    return judge(prepared_of(record, **given), instrument)[0]


def known(instrument, n=1):
    """Reference rows that the model was not trained on, W from weak to strong."""
    reference = instrument.reference
    new = np.flatnonzero(reference.is_new)
    order = new[np.argsort(reference.labels["W"][new])]
    return order[np.linspace(0, len(order) - 1, n + 2).astype(int)[1:-1]]


class TestInside:
    def test_a_simulated_echo_is_inside_near_its_own_point_and_labels(self, instrument):
        (row,) = known(instrument)
        truth = {name: values[row] for name, values in instrument.reference.labels.items()}
        found = verdict_of(instrument, record_of(instrument.reference.rows[row], snr=30))
        assert found.verdict == "INSIDE"
        assert found.p_value >= FALSE_ALARMS
        apart = found.point - instrument.points[row]
        # Four axes: beyond four standard deviations in less than 1 of 300.
        assert np.sqrt(apart @ np.linalg.solve(found.covariance, apart)) < 4
        assert (
            found.estimates["alpha_x"].low95 < truth["alpha_x"] < found.estimates["alpha_x"].high95
        )
        assert sum(found.kernels.values()) == pytest.approx(1)
        # Smoothing takes off up to a quarter of the sharpest tops.
        assert 0.7 < np.nanmax(found.measured) < 1.1

    def test_neither_gain_nor_phase_nor_carrier_changes_the_answer(self, instrument):
        (row,) = known(instrument)
        rows = instrument.reference.rows[row]
        record = record_of(rows)
        turned = 1e4 * np.exp(2j * np.pi * 0.05 * record.time - 2j)
        # An offset stands still while the carrier turns: it is none of what must not change.
        own = {"baseline": False}
        one = verdict_of(instrument, record, **own)
        other = verdict_of(instrument, record.assign(signal=record.signal * turned), **own)
        deviations = np.sqrt(np.diag(one.covariance))
        # The carrier is found again, and with it the edges of the band that is kept.
        assert np.all(np.abs(one.point - other.point) < deviations)
        # Noise is estimated beside each carrier from 256 frequencies, which tell it to 6.3 %.
        assert one.snr == pytest.approx(other.snr, rel=3 * 0.063)

    def test_another_tau_gives_frequencies_of_the_sample(self, instrument):
        (row,) = known(instrument)
        record = record_of(instrument.reference.rows[row])
        slow = record.assign_coords(time=2 * record.time)
        one = verdict_of(instrument, record)
        other = verdict_of(instrument, slow, pulse_separation=2 * TAU)
        assert other.estimates["W"].mean == pytest.approx(one.estimates["W"].mean / 2, rel=0.05)
        assert other.estimates["L"].mean == pytest.approx(one.estimates["L"].mean, rel=0.05)
        assert other.verdict == one.verdict

    def test_less_noise_gives_a_smaller_ellipse(self, instrument):
        (row,) = known(instrument)
        rows = instrument.reference.rows[row]
        sizes = [
            np.linalg.det(verdict_of(instrument, record_of(rows, snr=snr)).covariance)
            for snr in (8, 80)
        ]
        assert sizes[1] < 0.5 * sizes[0]

    def test_the_same_seed_gives_the_same_answer(self, instrument):
        (row,) = known(instrument)
        prepared = prepared_of(record_of(instrument.reference.rows[row]))
        parts = instrument.model, instrument.reference, instrument.name, instrument.correction
        fresh = Instrument(*parts)
        one, same = judge(prepared, instrument)[0], judge(prepared, fresh)[0]
        np.testing.assert_array_equal(one.point, same.point)
        assert one.p_value == same.p_value

    @pytest.mark.parametrize("lost", [slice(0, ECHO - 5), slice(ECHO + 80, None)])
    def test_a_record_that_lacks_a_side_is_judged_by_the_other(self, instrument, lost):
        rows = known(instrument, 5)[:3]  # of stronger coupling the highest lobe is not at 2τ
        record = record_of(instrument.reference.rows[rows], snr=40)
        kept = record.isel(time=np.delete(np.arange(N_TIME), lost))
        found = judge(prepared_of(kept, echo_time=ECHO * DT), instrument)
        assert [one.verdict for one in found].count("INSIDE") >= 2
        assert np.isnan(found[0].measured).sum() > 100


class TestOutside:
    def test_an_echo_much_wider_or_narrower_than_any_says_so(self, instrument):
        steps = np.arange(400) - 200
        narrow = 0.5 * np.exp(-((steps / 2.0) ** 2))
        found = verdict_of(instrument, record_of(narrow, snr=60))
        assert found.verdict == "OUTSIDE"
        assert "times narrower than almost any simulated" in found.reason
        assert found.estimates == {}
        assert found.kernels == {}
        time = np.arange(4000) * 1.0
        wide = np.exp(-(((time - 2000) / 400) ** 2)) + 0.01 * np.random.default_rng(0).normal(
            size=4000
        )
        record = xr.Dataset({"signal": (("record", "time"), wide[None] + 0j)}, {"time": time})
        found = verdict_of(instrument, record)
        assert found.verdict == "OUTSIDE"
        assert "times wider than almost any simulated" in found.reason

    def test_another_shape_is_outside(self, instrument):
        steps = np.arange(400) - 200
        comb = 0.4 * np.exp(-np.abs(steps) / 60) * (1 + 0.8 * np.cos(steps / 5))
        assert verdict_of(instrument, record_of(comb, snr=60)).verdict == "OUTSIDE"

    @pytest.mark.slow
    def test_it_happens_no_more_often_to_simulated_echoes_than_it_may(self, instrument):
        rows = known(instrument, 60)
        found = judge(prepared_of(record_of(instrument.reference.rows[rows], snr=25)), instrument)
        n_outside = sum(one.verdict == "OUTSIDE" for one in found)
        # 60 at 1 %: five or more in 1 of 3,000.
        assert n_outside <= 4


class TestWithoutPoint:
    def test_noise_holds_no_echo(self, instrument):
        rng = np.random.default_rng(3)
        noise = rng.standard_normal((2, 1, N_TIME))
        record = xr.Dataset(
            {"signal": (("record", "time"), noise[0] + 1j * noise[1])},
            {"time": DT * np.arange(N_TIME)},
        )
        found = verdict_of(instrument, record)
        assert found.verdict == "NO ECHO"
        assert found.point is None
        assert found.p_value is None

    def test_an_array_has_a_verdict_for_each_record(self, instrument):
        (row,) = known(instrument)
        rows = instrument.reference.rows[[row, row]]
        record = record_of(rows, snr=30)
        record.signal[1] = record.signal[1] - record_of(rows, snr=1e9).signal[1]
        assert [one.verdict for one in judge(prepared_of(record), instrument)] == [
            "INSIDE",
            "NO ECHO",
        ]

    def test_an_echo_little_above_the_noise_is_too_noisy(self, instrument):
        (row,) = known(instrument)
        prepared = prepared_of(record_of(instrument.reference.rows[row]))
        weak = prepared.assign_coords(snr=("record", [2.0]))
        found = judge(weak, instrument)[0]
        assert found.verdict == "TOO NOISY"
        assert "times as many scans" in found.reason


class TestInstrument:
    def test_a_model_of_other_features_is_refused(self):
        with pytest.raises(InputError, match="model must be one of measured echoes"):
            load_instrument("echo")

    def test_the_gain_must_be_known_to_the_model_that_needs_it_and_to_no_other(self, instrument):
        (row,) = known(instrument)
        rows = instrument.reference.rows[row]
        prepared, own = prepared_of(record_of(rows)), load_instrument("measured-echo-m0")
        with pytest.raises(InputError, match=r"m0.*must not be given"):
            judge(prepared, instrument, m0=0.5)
        with pytest.raises(InputError, match=r"m0.*must be given"):
            judge(prepared, own)
        (found,) = judge(prepared, own, m0=1.0)
        assert found.verdict == "INSIDE"
        assert np.nanmax(found.measured) == pytest.approx(rows.max(), rel=0.2)

    def test_a_wrong_gain_is_seen(self):
        own = load_instrument("measured-echo-m0")
        low = np.flatnonzero(own.reference.rows.max(axis=1) < 0.3)[:1]
        prepared = prepared_of(record_of(own.reference.rows[low], snr=60))
        assert judge(prepared, own, m0=0.05)[0].verdict == "OUTSIDE"

    def test_a_missing_or_damaged_reference_is_named(self, instrument, tmp_path):
        instrument.model.save(tmp_path / "model", instrument.model.metadata_)
        with pytest.raises(InputError, match=r"reference\.npz is missing"):
            load_instrument(tmp_path / "model")
        (tmp_path / "model" / "reference.npz").write_bytes(b"nothing")
        with pytest.raises(InputError, match="cannot be read"):
            load_instrument(tmp_path / "model")

    def test_references_come_back_within_a_level_of_a_byte(self, instrument, tmp_path):
        instrument.reference.save(tmp_path / "reference.npz")
        again = Reference.load(tmp_path / "reference.npz")
        levels = instrument.reference.rows.max(axis=1, keepdims=True) / 255
        assert np.all(np.abs(again.rows - instrument.reference.rows) <= 0.51 * levels)
        np.testing.assert_array_equal(again.is_new, instrument.reference.is_new)
        np.testing.assert_array_equal(again.labels["kernel"], instrument.reference.labels["kernel"])

    def test_widths_are_full_widths_at_half_maximum(self):
        steps = np.arange(400) - 200
        rows = np.exp(-((steps / 50.0) ** 2))[None]
        # Smoothing adds in squares: 50²/2 + 8².
        wanted = 2.355 * np.sqrt(50**2 / 2 + 64)
        assert echo_widths(rows)[0] == pytest.approx(wanted, abs=2)


@pytest.mark.slow
def test_training_for_measured_echoes_leaves_out_what_no_one_sees(tmp_path):
    echoes = ln.simulate("paper", 40, n_edge=16, step=4, seed=1)
    for name in ("mx", "my"):
        echoes[name][:5, 700:] *= 0.01
    model = ln.BetaVAE(
        hidden_layer_sizes=(8,), max_epochs=2, min_epoch_steps=2, random_state=0,
        augment="spectrometer",
    )  # fmt: skip
    result = ln.train(echoes, window="top", normalisation="height", model=model)
    seen = visible_echoes(echoes)
    assert set(seen.curve.values) <= set(range(5, 40))
    assert seen.sizes["curve"] > 20
    assert len(result.embedding) == seen.sizes["curve"] == len(result.reference.rows)
    assert result.reference.is_new.sum() == len(result.model.validation_rows_)
    result.save(tmp_path / "run")
    assert load_instrument(tmp_path / "run").reference.rows.shape == result.reference.rows.shape
    with pytest.raises(InputError, match="window and normalisation must be 'top' and 'height'"):
        ln.train(echoes, model=model)

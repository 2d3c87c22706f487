"""What a spectrometer adds to finished curves, and the record of it."""

import inspect
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from latent_nmr.data import spectrometer
from latent_nmr.data.spectrometer import (
    add_baseline,
    add_noise,
    blank_dead_time,
    rotate_phase,
    shift_frequency,
)
from latent_nmr.data.windows import features
from latent_nmr.errors import InputError
from tests.analytic import uniform_precession

DT = 1 / (2 * np.pi)  # µs
N_SAMPLES, PULSE, ECHO = 1000, 250, 500
TAU = PULSE * DT
U = 2.0**-24  # largest relative error of one rounding to float32


def data_set(signal, **attributes):
    """Echo data set of complex curves, shape (n_curves, n_samples)."""
    n_curves, n_samples = signal.shape
    dims = ("curve", "time")
    return xr.Dataset(
        {
            "mx": (dims, signal.real.astype("f4"), {"units": "1"}),
            "my": (dims, signal.imag.astype("f4"), {"units": "1"}),
        },
        {
            "curve": np.arange(n_curves),
            "time": ("time", DT * np.arange(n_samples), {"units": "µs"}),
            "W": ("curve", np.linspace(0.1, 0.3, n_curves), {"units": "MHz"}),
        },
        {"echo_index": ECHO, "pulse_samples": [0, PULSE], "preset": "paper"} | attributes,
    )


def echoes(n_curves=4, n_samples=N_SAMPLES, seed=0):
    """Random curves that start at |M| = 1/2, their largest value."""
    rng = np.random.default_rng(seed)
    size = (n_curves, n_samples)
    signal = rng.uniform(0.1, 0.4, size) * np.exp(2j * np.pi * rng.uniform(size=size))
    signal[:, 0] = 0.5j
    return data_set(signal)


def plus(dataset):
    """M⁺ in double precision."""
    return dataset["mx"].to_numpy().astype("f8") + 1j * dataset["my"].to_numpy().astype("f8")


def noise_of(dataset, *args, **kwargs):
    return plus(add_noise(dataset, *args, **kwargs)) - plus(dataset)


ALL = {
    "shift_frequency": {"offset": 0.03},
    "rotate_phase": {"phase": 0.4},
    "add_noise": {"snr": 20.0, "seed": 3, "window": "echo"},
    "add_baseline": {"real": 0.01, "imaginary": -0.02},
    "blank_dead_time": {"dead_time": 2.0},
}
PER_CURVE = {
    "shift_frequency": {"offset": [0.03, 0.0, -0.1, 0.2]},
    "rotate_phase": {"phase": [0.4, 1.0, -2.0, 9.0]},
    "add_noise": {"snr": [20.0, 5.0, 1.0, 300.0], "seed": 3},
    "add_baseline": {"real": [0.01, 0.0, 0.1, 0.2], "imaginary": -0.02},
}


def apply(name, dataset, arguments):
    return getattr(spectrometer, name)(dataset, **arguments)


class TestEveryFunction:
    """What holds for all of them: new data set, labels kept, a record, checks at the door."""

    def test_the_tables_here_name_every_function_of_the_module(self):
        public = {
            name
            for name, value in vars(spectrometer).items()
            if inspect.isfunction(value)
            and value.__module__ == spectrometer.__name__
            and not name.startswith("_")
        }
        assert public == set(ALL)

    @pytest.mark.parametrize("name", ALL)
    def test_the_argument_is_left_as_it_was(self, name):
        dataset = add_baseline(echoes(), 0.1, 0.1)
        before = dataset.copy(deep=True)
        result = apply(name, dataset, ALL[name])
        xr.testing.assert_identical(dataset, before)
        result["mx"][:] = 0
        result["W"][:] = 0
        result["mx"].attrs["units"] = "V"
        result.attrs["pulse_samples"].append(7)
        result.attrs["spectrometer"][0]["real"] = 9.0
        xr.testing.assert_identical(dataset, before)

    @pytest.mark.parametrize("name", PER_CURVE)
    def test_arrays_per_curve_are_left_as_they_were(self, name):
        arrays = {k: np.array(v) for k, v in PER_CURVE[name].items() if isinstance(v, list)}
        before = {k: v.copy() for k, v in arrays.items()}
        result = apply(name, echoes(), PER_CURVE[name] | arrays)
        for key, values in arrays.items():
            result.attrs["spectrometer"][-1][key][0] = 77.0
            np.testing.assert_array_equal(values, before[key])

    @pytest.mark.parametrize("name", ALL)
    def test_labels_units_and_settings_are_kept_and_signals_stay_float32(self, name):
        dataset = echoes().isel(curve=[2, 0]).assign(extra=("curve", [1.0, 2.0]))
        result = apply(name, dataset, ALL[name])
        signals = ["mx", "my"]
        expected = dataset.drop_vars(signals)
        expected.attrs["spectrometer"] = result.attrs["spectrometer"]
        xr.testing.assert_identical(result.drop_vars(signals), expected)
        for signal in signals:
            assert result[signal].dims == ("curve", "time")
            assert result[signal].dtype == np.float32
            assert result[signal].attrs == {"units": "1"}

    @pytest.mark.parametrize("name", ALL)
    def test_curves_that_lie_along_time_give_the_same(self, name):
        turned = echoes().transpose("time", "curve")
        assert turned["mx"].dims == ("time", "curve")
        xr.testing.assert_identical(
            apply(name, turned, ALL[name]), apply(name, echoes(), ALL[name])
        )

    def test_records_are_appended_in_order_and_json_keeps_them(self):
        dataset = echoes()
        for name, arguments in ALL.items():
            dataset = apply(name, dataset, arguments)
        records = dataset.attrs["spectrometer"]
        assert records == [{"name": name} | arguments for name, arguments in ALL.items()]
        assert json.loads(json.dumps(records)) == records

    @pytest.mark.parametrize("name", PER_CURVE)
    def test_a_record_per_curve_says_whose_values_they_are(self, name):
        order = [3, 1, 0, 2]
        result = apply(name, echoes().isel(curve=order), PER_CURVE[name])
        (record,) = result.attrs["spectrometer"]
        assert record.pop("curve") == order
        assert record.items() >= PER_CURVE[name].items()

    @pytest.mark.parametrize("table", [ALL, PER_CURVE], ids=["scalar", "per curve"])
    def test_the_records_are_enough_to_do_it_again(self, table):
        dataset = echoes()
        for name, arguments in table.items():
            dataset = apply(name, dataset, arguments)
        again = echoes()
        for record in json.loads(json.dumps(dataset.attrs["spectrometer"])):
            record.pop("curve", None)
            again = apply(record.pop("name"), again, record)
        xr.testing.assert_identical(again, dataset)

    @pytest.mark.parametrize("name", PER_CURVE)
    def test_values_per_curve_act_on_their_own_curve(self, name):
        dataset = echoes()
        result = apply(name, dataset, PER_CURVE[name])
        for i in range(4):
            own = {k: v[i] if isinstance(v, list) else v for k, v in PER_CURVE[name].items()}
            alone = apply(name, dataset.isel(curve=[i]), own)
            np.testing.assert_array_equal(plus(result)[[i]], plus(alone))

    @pytest.mark.parametrize(("name", "key"), [(n, next(iter(a))) for n, a in PER_CURVE.items()])
    def test_one_number_equals_the_same_number_for_every_curve(self, name, key):
        spread = ALL[name] | {key: np.full(4, ALL[name][key])}
        one, many = (apply(name, echoes(), arguments) for arguments in (ALL[name], spread))
        np.testing.assert_array_equal(plus(one), plus(many))

    @pytest.mark.parametrize("name", ALL)
    def test_a_curve_that_is_not_finite_is_refused(self, name):
        dataset = echoes()
        dataset["my"][1, 5] = np.nan
        with pytest.raises(InputError, match=r"my of curve 1 is nan at sample 5 .*Drop"):
            apply(name, dataset, ALL[name])

    @pytest.mark.parametrize("name", ALL)
    def test_a_foreign_attribute_in_the_place_of_the_records_is_refused(self, name):
        dataset = echoes().assign_attrs(spectrometer="ours, 400 MHz")
        with pytest.raises(InputError, match=r"spectrometer.*'ours, 400 MHz'.*another name"):
            apply(name, dataset, ALL[name])

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("add_baseline", {"real": 1e39, "imaginary": 0.0}),
            ("add_noise", {"snr": 1e-320, "seed": 0}),
        ],
    )
    def test_a_result_beyond_float32_is_refused(self, name, arguments):
        with pytest.raises(InputError, match=rf"finite.*{name} takes mx of curve 0.*smaller"):
            apply(name, echoes(), arguments)

    @pytest.mark.parametrize(("name", "key"), [(n, next(iter(a))) for n, a in PER_CURVE.items()])
    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ([1.0, 2.0, 3.0], r"shape \(3,\)"),
            (np.ones((4, 1)), r"shape \(4, 1\)"),
            ([[1.0], [2.0, 3.0]], "rows of unequal length"),
        ],
    )
    def test_an_array_of_another_shape_is_refused(self, name, key, value, found):
        with pytest.raises(InputError, match=rf"^{key} must be .*\(4,\), but has {found}\. [GRL]"):
            apply(name, echoes(), ALL[name] | {key: value})

    @pytest.mark.parametrize(("name", "key"), [(n, next(iter(a))) for n, a in ALL.items()])
    @pytest.mark.parametrize("value", [np.nan, np.inf, "3", None, True, 1j])
    def test_what_is_not_a_finite_number_is_refused(self, name, key, value):
        with pytest.raises(InputError, match=rf"^{key} must be .*but is .*Give a finite"):
            apply(name, echoes(), ALL[name] | {key: value})

    @pytest.mark.parametrize(("name", "key"), [(n, next(iter(a))) for n, a in PER_CURVE.items()])
    def test_a_bad_value_in_an_array_is_named_with_its_place(self, name, key):
        with pytest.raises(InputError, match=rf"^{key}\[2\] must be .*nan"):
            apply(name, echoes(), ALL[name] | {key: [1.0, 1.0, np.nan, 1.0]})

    def test_the_second_channel_of_a_baseline_is_checked_too(self):
        with pytest.raises(InputError, match=r"^imaginary must be .*nan"):
            add_baseline(echoes(), 0.0, np.nan)


class TestShiftFrequency:
    """M⁺ exp(-2πift): as if f were added to every ν."""

    FREQUENCIES = np.array([-0.05, 0.0, 0.02, 0.3])  # MHz

    @pytest.mark.parametrize("offset", [0.07, -0.07])
    def test_it_equals_the_closed_form_of_one_line_standing_higher(self, offset):
        # That form turns at along cos θ / 2, here ν; its sign is that of ds/dt = 2π s × b.
        time, angle = DT * np.arange(N_SAMPLES, dtype=np.float64), 1.0

        def line(frequency):
            return uniform_precession(time, angle, 0.0, 2 * frequency / np.cos(angle))

        shifted = shift_frequency(data_set(np.array([line(0.02)])), offset)
        # One rounding of the input and one of the result.
        np.testing.assert_allclose(plus(shifted)[0], line(0.02 + offset), rtol=2.01 * U)

    def test_a_positive_offset_turns_clockwise(self):
        rest = data_set(np.full((1, 8), 0.5j))
        quarter = shift_frequency(rest, 1 / (4 * DT)).isel(time=1)
        np.testing.assert_allclose([quarter["mx"][0], quarter["my"][0]], [0.5, 0], atol=U)

    def test_a_refocusing_pulse_leaves_a_constant_phase_between_receiver_and_spins(self):
        time, offset = DT * np.arange(N_SAMPLES), 0.013

        def echo(frequencies):
            clock = np.where(time < TAU, time, time - 2 * TAU)
            return 0.5j * np.exp(-2j * np.pi * np.multiply.outer(clock, frequencies)).mean(axis=1)

        receiver = plus(shift_frequency(data_set(echo(self.FREQUENCIES)[None]), offset))[0]
        spins = echo(self.FREQUENCIES + offset)
        constant = np.where(time < TAU, 1, np.exp(-4j * np.pi * offset * TAU))
        np.testing.assert_allclose(receiver, constant * spins, rtol=0, atol=2.01 * U * 0.5)

    def test_the_magnitude_does_not_change(self):
        dataset = echoes()
        shifted = shift_frequency(dataset, self.FREQUENCIES)
        np.testing.assert_allclose(np.abs(plus(shifted)), np.abs(plus(dataset)), rtol=1.01 * U)

    def test_the_opposite_offset_restores(self):
        dataset = echoes()
        back = shift_frequency(shift_frequency(dataset, self.FREQUENCIES), -self.FREQUENCIES)
        np.testing.assert_allclose(plus(back), plus(dataset), rtol=2.01 * U)

    def test_time_counts_from_the_first_pulse_also_in_a_part_of_the_record(self):
        part = slice(100, 300)
        cut = shift_frequency(echoes().isel(time=part), 0.07)
        np.testing.assert_array_equal(plus(cut), plus(shift_frequency(echoes(), 0.07))[:, part])


class TestRotatePhase:
    """M⁺ exp(iφ)."""

    ANGLES = np.array([0.3, -2.0, np.pi, 40.0])

    def test_a_quarter_turn_brings_mx_to_my(self):
        dataset = echoes()
        turned = rotate_phase(dataset, np.pi / 2)
        np.testing.assert_allclose(turned["my"], dataset["mx"], atol=U / 2)
        np.testing.assert_allclose(turned["mx"], -dataset["my"], atol=U / 2)

    def test_the_magnitude_does_not_change(self):
        dataset = echoes()
        turned = rotate_phase(dataset, self.ANGLES)
        np.testing.assert_allclose(np.abs(plus(turned)), np.abs(plus(dataset)), rtol=1.01 * U)

    def test_the_opposite_phase_restores(self):
        dataset = echoes()
        back = rotate_phase(rotate_phase(dataset, self.ANGLES), -self.ANGLES)
        np.testing.assert_allclose(plus(back), plus(dataset), rtol=2.01 * U)


class TestAddNoise:
    """White Gaussian noise that belongs to (seed, curve)."""

    # Flat curves of many samples: 0.5 at most in the first two, 0.1 in the third.
    N_LONG = 40_000

    def long(self):
        signal = np.repeat([[0.5j], [0.3 + 0.4j], [-0.1]], self.N_LONG, axis=1)
        return data_set(signal)

    def test_the_deviation_in_each_channel_is_the_largest_signal_over_snr(self):
        noise = noise_of(self.long(), [10.0, 2.0, 40.0], seed=1)
        expected = np.array([0.5 / 10, 0.5 / 2, 0.1 / 40])
        # The deviation of n values scatters by 1/√(2n) of itself, their mean by 1/√n.
        for channel in (noise.real, noise.imag):
            np.testing.assert_allclose(
                channel.std(axis=1), expected, rtol=5 / np.sqrt(2 * self.N_LONG)
            )
            np.testing.assert_array_less(
                np.abs(channel.mean(axis=1)), 5 * expected / np.sqrt(self.N_LONG)
            )

    def test_the_deviation_follows_the_largest_signal_in_the_window(self):
        dataset = echoes()
        magnitude = np.abs(plus(dataset))
        magnitude[:, ECHO - 200 : ECHO + 200] *= 0.2
        dataset = data_set(magnitude * 1j)
        ratio = noise_of(dataset, 3, seed=1, window="echo") / noise_of(dataset, 3, seed=1)
        inside = magnitude[:, ECHO - 200 : ECHO + 200].max(axis=1) / 0.5
        # Each noise is a difference of values below 4 in float32: as good as 4 U / |noise|.
        np.testing.assert_allclose(np.median(ratio.real, axis=1), inside, rtol=1e-4)

    def test_it_is_gaussian(self):
        noise = noise_of(self.long(), 1, seed=2)[:2] / 0.5
        values = np.concatenate([noise.real.ravel(), noise.imag.ravel()])
        for bound, share in [(1, 0.682689), (2, 0.954500), (3, 0.997300)]:
            scatter = np.sqrt(share * (1 - share) / len(values))
            assert abs((np.abs(values) < bound).mean() - share) < 5 * scatter

    @pytest.mark.parametrize("lag", [1, 2, 3, 10, 100])
    def test_it_is_white(self, lag):
        noise = noise_of(self.long(), 1, seed=2)[0] / 0.5
        # A mean of n products of independent unit normals scatters by 1/√n.
        for one in (noise.real, noise.imag):
            for two in (noise.real, noise.imag):
                assert abs((one[lag:] * two[:-lag]).mean()) < 5 / np.sqrt(self.N_LONG - lag)

    def test_channels_curves_and_seeds_are_independent(self):
        dataset = self.long().isel(curve=[0, 1])
        noises = [noise_of(dataset, 1, seed=seed) / 0.5 for seed in (0, 1)]
        rows = np.concatenate([part for n in noises for part in (n.real, n.imag)])
        correlation = rows @ rows.T / self.N_LONG
        off_diagonal = correlation[~np.eye(len(rows), dtype=bool)]
        assert np.abs(off_diagonal).max() < 5 / np.sqrt(self.N_LONG)

    def test_equal_seeds_give_equal_noise_and_other_seeds_other_noise(self):
        one, same, other = (add_noise(echoes(), 10, seed=seed) for seed in (1, 1, 2))
        xr.testing.assert_identical(one, same)
        assert (plus(one) != plus(other)).mean() > 0.99

    def test_a_subset_in_another_order_has_the_same_noise(self):
        dataset = echoes(6)
        rows = [4, 0, 5]
        some = add_noise(dataset.isel(curve=rows), 10, seed=1)
        np.testing.assert_array_equal(plus(some), plus(add_noise(dataset, 10, seed=1))[rows])

    def test_a_record_cut_short_has_the_beginning_of_the_same_noise(self):
        dataset = echoes()  # the largest value is the first
        short = add_noise(dataset.isel(time=slice(700)), 10, seed=1)
        np.testing.assert_array_equal(plus(short), plus(add_noise(dataset, 10, seed=1))[:, :700])

    def test_it_does_not_touch_the_global_generator(self):
        dataset = echoes()
        before = str(np.random.get_state(legacy=False))  # noqa: NPY002
        add_noise(dataset, 10, seed=1)
        assert str(np.random.get_state(legacy=False)) == before  # noqa: NPY002

    def test_a_large_seed_and_another_curve_do_not_meet(self):
        # As words of 32 bits, (5 · 2³², 0) and (0, 5) hold the same numbers.
        dataset = echoes(1)
        high = noise_of(dataset, 10, seed=5 << 32)
        low = noise_of(dataset.assign_coords(curve=[5]), 10, seed=0)
        assert (high != low).mean() > 0.99

    def test_without_noise_the_curves_are_the_same(self):
        # 0.5 · 6 / 1e12 is far below half a spacing of any signal of 1e-2 or more.
        rng = np.random.default_rng(5)
        dataset = data_set(rng.uniform(0.01, 0.3, (3, 90)) * (1 + 1j))
        np.testing.assert_array_equal(plus(add_noise(dataset, 1e12, seed=1)), plus(dataset))

    def test_the_error_of_the_curves_falls_as_one_over_snr(self):
        rms = [np.sqrt((np.abs(noise_of(echoes(), snr, seed=1)) ** 2).mean()) for snr in (10, 100)]
        # The same numbers, scaled; their rounding is below U / 0.005 of them.
        np.testing.assert_allclose(rms[0] / rms[1], 10, rtol=2 * U / 0.005)

    def test_the_seed_must_be_given(self):
        with pytest.raises(TypeError, match="seed"):
            add_noise(echoes(), 10)  # pyright: ignore[reportCallIssue]

    @pytest.mark.parametrize("seed", [-1, 1.0, None, True, "0"])
    def test_a_seed_that_is_no_whole_number_is_refused(self, seed):
        with pytest.raises(InputError, match=rf"^seed must be .*at least 0, but is {seed!r}"):
            add_noise(echoes(), 10, seed=seed)

    @pytest.mark.parametrize("snr", [0, -3.0])
    def test_a_ratio_that_is_not_positive_is_refused(self, snr):
        with pytest.raises(InputError, match=rf"^snr must be > 0, but is {snr}"):
            add_noise(echoes(), snr, seed=0)

    def test_a_window_off_the_record_is_refused(self):
        with pytest.raises(InputError, match=r"^window 'echo' must lie on the record"):
            add_noise(echoes().isel(time=slice(600)), 10, seed=0, window="echo")

    def test_a_curve_without_signal_is_refused(self):
        dataset = echoes().assign_coords(curve=[10, 11, 12, 13])
        dataset["mx"][2, 300:700] = dataset["my"][2, 300:700] = 0
        add_noise(dataset, 10, seed=0)
        with pytest.raises(InputError, match=r"curve 12 is zero in the window 'echo'.*Drop"):
            add_noise(dataset, 10, seed=0, window="echo")

    @pytest.mark.parametrize(
        ("curves", "found"),
        [
            ([0, 1, 2, 1], "1 is there twice"),
            ([0, 1, -2, 3], "-2 is negative"),
            ([0.0, 1.0, 2.0, 3.0], "is float64"),
            (["a", "b", "c", "d"], "is <U1"),
        ],
    )
    def test_curves_without_numbers_of_their_own_are_refused(self, curves, found):
        with pytest.raises(InputError, match=rf"^the coordinate curve must .*{found}\. "):
            add_noise(echoes().assign_coords(curve=curves), 10, seed=0)

    def test_a_missing_coordinate_is_refused(self):
        with pytest.raises(InputError, match=r"coordinate curve .*is missing.*assign_coords"):
            add_noise(echoes().drop_vars("curve"), 10, seed=0)


class TestAddBaseline:
    """A constant in each channel."""

    def test_real_goes_to_mx_and_imaginary_to_my(self):
        dataset = echoes()
        result = add_baseline(dataset, 0.125, [-0.25, 0.0, 0.5, 1.0])
        np.testing.assert_allclose(result["mx"] - dataset["mx"], 0.125, atol=2 * U)
        expected = np.repeat([[-0.25], [0.0], [0.5], [1.0]], N_SAMPLES, axis=1)
        np.testing.assert_allclose(result["my"] - dataset["my"], expected, atol=4 * U)

    def test_two_baselines_add(self):
        twice = add_baseline(add_baseline(echoes(), 0.1, 0.2), 0.3, -0.1)
        # Values below 1: one more rounding of at most U.
        np.testing.assert_allclose(plus(twice), plus(add_baseline(echoes(), 0.4, 0.1)), atol=3 * U)

    def test_the_opposite_baseline_restores(self):
        back = add_baseline(add_baseline(echoes(), 0.1, 0.2), -0.1, -0.2)
        np.testing.assert_allclose(plus(back), plus(echoes()), atol=3 * U)


class TestBlankDeadTime:
    """Zero from each pulse until the dead time after it, untouched elsewhere."""

    @pytest.mark.parametrize("steps", [0.4, 1.0, 2.5, 3.0, 7.0, 100.0])
    @pytest.mark.parametrize("pulses", [[0, PULSE], [PULSE], [0, 11, 777]])
    def test_it_is_zero_there_exactly_and_untouched_elsewhere(self, steps, pulses):
        dataset = echoes().assign_attrs(pulse_samples=pulses)
        result = plus(blank_dead_time(dataset, steps * DT))
        expected = plus(dataset)
        for pulse in pulses:  # the sample at the end, a whole number of steps later, is kept
            expected[:, pulse : pulse + int(np.ceil(steps))] = 0
        np.testing.assert_array_equal(result, expected)

    def test_every_whole_number_of_steps_ends_just_before_its_sample(self):
        for steps in range(1, 200):
            result = blank_dead_time(echoes(1), steps * DT)
            assert (plus(result) == 0).sum() == 2 * steps

    def test_the_shortest_dead_time_blanks_the_sample_of_the_pulse(self):
        blanked = plus(blank_dead_time(echoes(), np.timedelta64(1, "as"))) == 0
        assert np.flatnonzero(blanked.all(axis=0)).tolist() == [0, PULSE]

    def test_no_dead_time_blanks_nothing(self):
        np.testing.assert_array_equal(plus(blank_dead_time(echoes(), 0)), plus(echoes()))

    def test_twice_is_once(self):
        once = blank_dead_time(echoes(), 3.0)
        np.testing.assert_array_equal(plus(blank_dead_time(once, 3.0)), plus(once))

    def test_pulse_samples_may_be_an_array(self):
        dataset = echoes().assign_attrs(pulse_samples=np.array([0, PULSE]))
        np.testing.assert_array_equal(
            plus(blank_dead_time(dataset, 3.0)), plus(blank_dead_time(echoes(), 3.0))
        )

    def test_features_of_blanked_curves_need_window_max(self):
        blanked = blank_dead_time(echoes(), 1.0)
        assert features(blanked, "echo", "window_max").max() == 1
        with pytest.raises(InputError, match=r"curve 0 is zero there"):
            features(blanked, "echo", "initial")

    def test_a_negative_dead_time_is_refused(self):
        with pytest.raises(InputError, match=r"^dead_time must be >= 0 µs, but is -1"):
            blank_dead_time(echoes(), -1)

    def test_missing_pulses_are_refused_with_the_cure(self):
        dataset = echoes()
        del dataset.attrs["pulse_samples"]
        with pytest.raises(InputError, match=r"pulse_samples is missing\. Set ds\.attrs\["):
            blank_dead_time(dataset, 1.0)

    def test_an_empty_list_of_pulses_is_refused(self):
        with pytest.raises(InputError, match=r"pulse_samples is empty"):
            blank_dead_time(echoes().assign_attrs(pulse_samples=[]), 1.0)

    def test_a_pulse_off_the_record_is_refused(self):
        dataset = echoes().assign_attrs(pulse_samples=[0, N_SAMPLES])
        match = rf"0\.\.{N_SAMPLES - 1}, but holds {N_SAMPLES}\. .*cutting"
        with pytest.raises(InputError, match=match):
            blank_dead_time(dataset, 1.0)

    @pytest.mark.parametrize("dead_time", [5000, 1e9])
    def test_a_dead_time_that_leaves_nothing_is_refused(self, dead_time):
        with pytest.raises(InputError, match=r"leave some of the record, which lasts .* in µs"):
            blank_dead_time(echoes(), dead_time)

    @pytest.mark.parametrize("sample", [-1, 2.5])
    def test_a_pulse_at_no_sample_is_refused(self, sample):
        dataset = echoes().assign_attrs(pulse_samples=[0, sample])
        match = rf"numbers of samples, one per pulse, but is \[0, {sample}\]"
        with pytest.raises(InputError, match=match):
            blank_dead_time(dataset, 1.0)


class TestNumbersPerCurve:
    """Numbers that say of which curves they are, in another order."""

    VALUES = np.array([0.0, 1e-3, 2e-3])

    def named(self, order, dim="curve"):
        return xr.DataArray(self.VALUES, dims=dim, coords={dim: order})

    def test_in_the_order_of_the_curves_they_are_plain_numbers(self):
        ds = echoes(3).assign_coords(curve=[4, 5, 6])
        expected = shift_frequency(ds, self.VALUES)
        for given in (self.named([4, 5, 6]), pd.Series(self.VALUES, [4, 5, 6])):
            assert shift_frequency(ds, given).identical(expected)
        # What pandas gives to rows are no names of these curves.
        assert shift_frequency(ds, pd.Series(self.VALUES)).identical(expected)

    @pytest.mark.parametrize("kind", ["xarray", "pandas"])
    def test_in_another_order_they_are_refused(self, kind):
        ds = echoes(3).assign_coords(curve=[4, 5, 6])
        other = [4, 6, 5]
        given = self.named(other) if kind == "xarray" else pd.Series(self.VALUES, other)
        with pytest.raises(InputError, match=r"^phase .* entry 1 is of curve 6, not 5"):
            rotate_phase(ds, given)

    def test_so_they_are_in_another_order_of_protocols(self):
        one = echoes(3)
        ds = xr.concat([one, one], xr.Variable("protocol", [0, 1]), data_vars=["mx", "my"])
        values = xr.DataArray(
            [self.VALUES, 2 * self.VALUES], dims=("protocol", "curve"), coords={"protocol": [0, 1]}
        )
        assert rotate_phase(ds, values.T).identical(rotate_phase(ds, values.to_numpy()))
        with pytest.raises(InputError, match=r"^phase .* entry 0 is of protocol 1, not 0"):
            rotate_phase(ds, values.isel(protocol=[1, 0]))

    def test_so_are_those_along_another_dimension(self):
        with pytest.raises(InputError, match=r"offset must have the dimension \(curve,\)"):
            shift_frequency(echoes(3), self.named([0, 1, 2], "time"))

"""Windows of the record and features from them."""

import numpy as np
import pytest
import xarray as xr

from latent_nmr.data.windows import features, window_slice, window_time
from latent_nmr.errors import InputError

N_SAMPLES, ECHO = 1882, 1256


def echoes(n_curves=3, n_samples=N_SAMPLES, echo_index=ECHO, seed=0):
    """Data set of random signals that start at |M| = 1/2 and stay below it."""
    rng = np.random.default_rng(seed)
    signal = 0.35 * rng.uniform(-1, 1, (2, n_curves, n_samples))
    signal[:, :, 0] = [[0.3], [0.4]]
    dims = ("curve", "time")
    return xr.Dataset(
        {"mx": (dims, signal[0].astype("f4")), "my": (dims, signal[1].astype("f4"))},
        {"curve": np.arange(n_curves), "time": np.arange(n_samples) / (2 * np.pi)},
        {"echo_index": echo_index},
    )


class TestWindowSlice:
    """Which samples a named window takes, with the published indices."""

    @pytest.mark.parametrize(
        ("window", "first", "last"),
        [("full", 0, 1881), ("echo", 1056, 1455), ("echo300", 1106, 1405)],
    )
    def test_windows_of_the_paper_have_the_published_indices(self, window, first, last):
        samples = np.arange(N_SAMPLES)[window_slice(window, N_SAMPLES, ECHO)]
        assert (samples[0], samples[-1]) == (first, last)

    def test_the_echo_window_spans_the_published_times(self):
        time = window_time(echoes(), "echo")
        assert (round(time[0], 1), round(time[-1], 1)) == (168.1, 231.6)

    @pytest.mark.parametrize(("n_samples", "echo_index"), [(1455, 1256), (1882, 199)])
    def test_a_window_that_leaves_the_record_is_refused(self, n_samples, echo_index):
        with pytest.raises(
            InputError, match=rf"'echo'.*{echo_index - 200}\.\..*0\.\.{n_samples - 1}"
        ):
            window_slice("echo", n_samples, echo_index)

    def test_a_window_that_just_fits_is_taken(self):
        assert window_slice("echo", 1456, 1256) == slice(1056, 1456)

    def test_a_misspelt_window_gets_a_suggestion(self):
        with pytest.raises(InputError, match=r"'ehco'.*Did you mean 'echo'\?"):
            window_slice("ehco", N_SAMPLES, ECHO)


class TestFeatures:
    """|M(t)| in a window, scaled to [0, 1]."""

    def test_initial_divides_by_the_first_sample_of_the_record(self):
        dataset = echoes()
        magnitude = np.hypot(dataset["mx"].to_numpy(), dataset["my"].to_numpy())
        X = features(dataset, "echo")
        # Two float32 roundings, of |M| and of the quotient.
        np.testing.assert_allclose(X, magnitude[:, 1056:1456] / 0.5, rtol=3e-7)
        assert X.dtype == np.float32

    def test_initial_keeps_the_height_of_the_echo_and_window_max_drops_it(self):
        dataset = echoes()
        weaker = dataset.copy(deep=True)
        for name in ("mx", "my"):
            weaker[name][:, 1:] *= 0.5
        halved = features(weaker, "echo"), features(weaker, "echo", "window_max")
        np.testing.assert_allclose(halved[0], features(dataset, "echo") / 2, rtol=3e-7)
        np.testing.assert_allclose(halved[1], features(dataset, "echo", "window_max"), rtol=3e-7)

    def test_window_max_makes_every_curve_reach_one(self):
        np.testing.assert_array_equal(features(echoes(), "echo", "window_max").max(axis=1), 1)

    def test_features_never_leave_the_unit_interval(self):
        dataset = echoes()
        dataset["my"][0, 7] = np.nextafter(np.float32(0.5), np.float32(1))
        dataset["mx"][0, 7] = 0
        X = features(dataset, "full")
        assert X.min() >= 0
        assert X.max() == 1

    def test_a_nan_names_its_curve_and_sample(self):
        dataset = echoes()
        dataset["mx"][1, 5] = np.nan
        with pytest.raises(InputError, match=r"mx of curve 1 is nan at sample 5 .*Drop"):
            features(dataset, "echo")

    def test_a_curve_without_signal_is_named(self):
        dataset = echoes()
        for name in ("mx", "my"):
            dataset[name][2, :] = 0
        with pytest.raises(InputError, match=r"curve 2 is zero there"):
            features(dataset, "echo")

    def test_an_unknown_normalisation_is_refused(self):
        with pytest.raises(InputError, match=r"normalisation.*'max'"):
            features(echoes(), "echo", "max")

    @pytest.mark.parametrize("name", ["mx", "my"])
    def test_a_data_set_without_a_signal_is_refused(self, name):
        with pytest.raises(InputError, match=rf"lacks {name}"):
            features(echoes().drop_vars(name), "echo")

    def test_a_data_set_that_does_not_say_where_its_echo_is_is_refused(self):
        dataset = echoes()
        del dataset.attrs["echo_index"]
        with pytest.raises(InputError, match="echo_index"):
            features(dataset, "echo")

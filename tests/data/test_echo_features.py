"""EchoFeatures: complex echoes to features and back, as a scikit-learn transformer."""

import inspect
import pickle

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from latent_nmr.data.echo_features import EchoFeatures
from latent_nmr.data.feature_layout import PARTS
from latent_nmr.data.windows import (
    NORMALISATIONS,
    echo_sample,
    features,
    window_slice,
    window_time,
)
from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE

# A record of 900 samples whose echo stands at sample 600, and no highest sample but that one.
N_TIME, ECHO, DT = 900, 600, 0.5
TIME = DT * np.arange(N_TIME)
# |M| is rounded at most four times on its way to a feature (two squares' sum, root, quotient).
ROUNDINGS = {np.complex64: 4 * 2.0**-24, np.complex128: 4 * 2.0**-53}


def echoes(n_curves=6, dtype=np.complex64, seed=0):
    """Decay and echo of random height and phase, |M(0)| = 1/2, below 1/2 elsewhere."""
    rng = np.random.default_rng(seed)
    height, phase = rng.uniform(0.1, 0.4, (n_curves, 1)), rng.uniform(0, 6, (n_curves, 1))
    shape = np.exp(-TIME / 40) / 2 + height * np.exp(-(((TIME - TIME[ECHO]) / 20) ** 2))
    curves = shape * np.exp(1j * (phase + TIME / 30))
    return (curves / (2 * np.abs(curves[:, :1]))).astype(dtype)


def data_set(curves, **attributes):
    dims = ("curve", "time")
    return xr.Dataset(
        {"mx": (dims, curves.real), "my": (dims, curves.imag)},
        {"curve": np.arange(len(curves)), "time": TIME},
        {"echo_index": ECHO} | attributes,
    )


def in_window(curves, window="echo"):
    return curves[:, window_slice(window, N_TIME, ECHO)]


class TestTransform:
    """Echoes to features."""

    @pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
    def test_magnitude_is_the_length_of_m_over_that_at_the_start(self, dtype):
        M = echoes(dtype=dtype)
        wanted = np.abs(in_window(M.astype(np.complex128))) / np.abs(M[:, :1].astype(complex))
        np.testing.assert_allclose(
            EchoFeatures().fit_transform(M), wanted, rtol=ROUNDINGS[dtype], atol=0
        )

    def test_both_is_re_then_im_mapped_to_the_unit_interval(self):
        M = echoes(dtype=np.complex128)
        X = EchoFeatures(part="both").fit_transform(M)
        scaled = in_window(M) / 0.5
        wanted = np.hstack([(scaled.real + 1) / 2, (scaled.imag + 1) / 2])
        np.testing.assert_allclose(X, wanted, rtol=0, atol=ROUNDINGS[np.complex128])
        assert X.shape == (6, 800)

    def test_real_and_imaginary_are_the_halves_of_both(self):
        M = echoes()
        both = EchoFeatures(part="both").fit_transform(M)
        halves = [EchoFeatures(part=part).fit_transform(M) for part in ("real", "imaginary")]
        np.testing.assert_array_equal(np.hstack(halves), both)

    def test_window_max_divides_by_the_largest_length_in_the_window_whatever_the_part(self):
        M = echoes(dtype=np.complex128)
        largest = np.abs(in_window(M)).max(axis=1, keepdims=True)
        options = {"normalisation": "window_max"}
        length = EchoFeatures(**options).fit_transform(M)
        real = EchoFeatures(part="real", **options).fit_transform(M)
        assert (length.max(axis=1) == 1).all()
        wanted = (in_window(M).real / largest + 1) / 2
        np.testing.assert_allclose(real, wanted, rtol=0, atol=ROUNDINGS[np.complex128])

    @pytest.mark.parametrize("part", PARTS)
    def test_features_stay_in_the_unit_interval_where_the_signal_exceeds_its_start(self, part):
        M = echoes()
        M[0, ECHO] = 0.9 + 0.9j
        M[0, ECHO + 1] = -0.9 - 0.9j
        X = EchoFeatures(TIME, part=part).fit_transform(M)
        assert X.min() == (X.min() if part in ("magnitude", "polar") else 0)
        assert X.min() >= 0
        assert X.max() == 1

    @pytest.mark.parametrize("normalisation", NORMALISATIONS)
    def test_a_real_array_is_taken_as_the_length(self, normalisation):
        M = echoes()
        of_complex = EchoFeatures(normalisation=normalisation).fit_transform(M)
        length = np.hypot(M.real, M.imag)
        of_real = EchoFeatures(normalisation=normalisation).fit_transform(length)
        np.testing.assert_array_equal(of_real, of_complex)

    @pytest.mark.parametrize(
        ("given", "returned"),
        [
            (np.complex64, np.float32),
            (np.complex128, np.float64),
            (np.float32, np.float32),
            (np.float64, np.float64),
            (np.int64, np.float64),
        ],
    )
    def test_the_precision_is_kept(self, given, returned):
        M = np.ones((2, N_TIME), given)
        assert EchoFeatures(echo_time=ECHO).fit_transform(M).dtype == returned

    def test_one_part_keeps_the_precision_too(self):
        for dtype, returned in ((np.complex64, np.float32), (np.complex128, np.float64)):
            assert EchoFeatures(part="both").fit_transform(echoes(dtype=dtype)).dtype == returned


class TestInverse:
    """Features back to the signal, in its own unit."""

    def test_the_signal_comes_back_where_all_curves_start_alike(self):
        M = 2000 * echoes(dtype=np.complex128)
        for part, wanted in (
            ("magnitude", np.abs(in_window(M))),
            ("real", in_window(M).real),
            ("imaginary", in_window(M).imag),
            ("both", in_window(M)),
        ):
            transformer = EchoFeatures(part=part)
            back = transformer.inverse_transform(transformer.fit_transform(M))
            assert back.dtype == wanted.dtype
            # A feature near 1/2 keeps 2^-53 of the full scale, 1000, and 2x - 1 twice that.
            np.testing.assert_allclose(back, wanted, rtol=0, atol=8 * 1000 * 2.0**-53)

    @pytest.mark.parametrize(
        ("part", "dtype"), [("magnitude", "f4"), ("real", "f4"), ("both", "c8")]
    )
    def test_single_precision_is_kept(self, part, dtype):
        transformer = EchoFeatures(part=part)
        assert transformer.inverse_transform(transformer.fit_transform(echoes())).dtype == dtype

    @given(st.integers(0, 2**32 - 1), st.sampled_from(["echo", "full", "echo300"]))
    def test_there_and_back_gives_the_length_in_the_window(self, seed, window):
        rng = np.random.default_rng(seed)
        M = rng.uniform(0, 0.5, (3, N_TIME)) * np.exp(2j * np.pi * rng.random((3, N_TIME)))
        M[:, 0] = 0.3 + 0.4j
        transformer = EchoFeatures(window=window, echo_time=ECHO)
        back = transformer.inverse_transform(transformer.fit_transform(M))
        # Four roundings forth, one back, and those of the mean of equal divisors.
        np.testing.assert_allclose(back, np.abs(in_window(M, window)), rtol=8 * 2.0**-53, atol=0)

    @given(st.floats(-10, 10))
    def test_turning_the_phase_leaves_magnitude_features_as_they_are(self, phase):
        M = echoes(dtype=np.complex128)
        turned = M * np.exp(1j * phase)
        one, two = (EchoFeatures().fit_transform(curves) for curves in (M, turned))
        # The turn itself rounds: |e^{iφ}| to 2^-53 and each product's parts to a few of these.
        np.testing.assert_allclose(two, one, rtol=16 * 2.0**-53, atol=0)

    @given(st.floats(1e-6, 1e6), st.sampled_from(PARTS), st.sampled_from(NORMALISATIONS))
    def test_a_receivers_gain_leaves_all_features_as_they_are(self, gain, part, normalisation):
        M = echoes(dtype=np.complex128)
        transformer = EchoFeatures(TIME, part=part, normalisation=normalisation)
        np.testing.assert_allclose(
            transformer.fit_transform(gain * M), transformer.fit_transform(M), atol=16 * 2.0**-53
        )


class TestFit:
    """What is learned, and only from the training rows."""

    def test_the_echo_is_the_highest_sample_of_the_second_half(self):
        transformer = EchoFeatures(TIME).fit(echoes())
        assert transformer.echo_index_ == ECHO
        assert transformer.samples_ == slice(ECHO - 200, ECHO + 200)
        np.testing.assert_array_equal(transformer.time_, TIME[ECHO - 200 : ECHO + 200])

    def test_the_echo_is_looked_for_in_the_length_of_m_not_in_its_mean(self):
        # Curves of opposite sign: their mean vanishes.
        M = echoes(1)
        assert EchoFeatures().fit(np.concatenate([M, -M])).echo_index_ == ECHO

    def test_a_given_echo_time_takes_the_nearest_sample(self):
        for echo_time, sample in ((DT * 500.4, 500), (DT * 500.6, 501)):
            assert EchoFeatures(TIME, echo_time=echo_time).fit(echoes()).echo_index_ == sample

    def test_without_times_a_sample_number_says_where_the_echo_is(self):
        transformer = EchoFeatures(echo_time=500).fit(echoes())
        assert transformer.echo_index_ == 500
        assert (transformer.time_[0], transformer.time_[-1]) == (300, 699)

    def test_the_scale_is_the_mean_of_what_the_training_rows_were_divided_by(self):
        M = echoes() * np.arange(1, 7)[:, np.newaxis]
        assert EchoFeatures().fit(M).scale_ == pytest.approx(0.5 * 3.5, rel=1e-6)
        largest = np.abs(in_window(M)).max(axis=1).mean()
        fitted = EchoFeatures(normalisation="window_max").fit(M)
        assert fitted.scale_ == pytest.approx(largest, rel=1e-6)

    def test_other_rows_change_nothing_that_was_learned(self):
        transformer = EchoFeatures(TIME, part="both").fit(echoes())
        before = dict(vars(transformer))
        transformer.transform(7 * np.roll(echoes(3, seed=1), 50, axis=1))
        assert vars(transformer) == before


class TestContract:
    """What scikit-learn asks of a transformer, as far as complex input allows."""

    def test_the_constructor_only_stores(self):
        time = [0.0, 1.0]
        arguments = {"time": time, "window": 1, "part": 2, "normalisation": 3, "echo_time": 4}
        transformer = EchoFeatures(**arguments)
        assert vars(transformer) == arguments == transformer.get_params()
        assert transformer.time is time
        assert set(inspect.signature(EchoFeatures).parameters) == set(arguments)

    def test_it_clones_unfitted_with_its_parameters(self):
        transformer = EchoFeatures(TIME, part="both", echo_time=300.0).fit(echoes())
        copy = clone(transformer)
        assert copy.get_params()["part"] == "both"
        np.testing.assert_array_equal(copy.time, TIME)
        assert not [name for name in vars(copy) if name.endswith("_")]

    def test_parameters_can_be_set(self):
        transformer = EchoFeatures().set_params(window="echo300", part="real")
        assert transformer.fit_transform(echoes()).shape == (6, 300)

    @pytest.mark.parametrize(
        "use",
        [
            lambda t: t.transform(echoes()),
            lambda t: t.inverse_transform(np.ones((1, 400))),
            lambda t: t.get_feature_names_out(),
        ],
    )
    def test_what_is_not_fitted_says_so(self, use):
        with pytest.raises(NotFittedError):
            use(EchoFeatures())

    @pytest.mark.parametrize("part", PARTS)
    def test_the_input_is_not_changed(self, part):
        M = echoes()
        M.flags.writeable = False
        before = M.copy()
        transformer = EchoFeatures(TIME, part=part)
        X = transformer.fit_transform(M)
        X.flags.writeable = False
        transformer.inverse_transform(X)
        np.testing.assert_array_equal(M, before)

    def test_the_features_share_no_memory_with_the_input(self):
        length = np.abs(echoes())
        assert not np.shares_memory(EchoFeatures(window="full").fit_transform(length), length)

    @pytest.mark.parametrize("part", PARTS)
    def test_a_row_does_not_depend_on_its_batch(self, part):
        M = echoes(20)
        transformer = EchoFeatures(TIME, part=part).fit(M)
        alone = np.concatenate([transformer.transform(row[np.newaxis]) for row in M[::-1]])
        np.testing.assert_array_equal(alone[::-1], transformer.transform(M))

    def test_a_second_fit_gives_what_the_first_gave(self):
        M = echoes()
        transformer = EchoFeatures(TIME)
        first, learned = transformer.fit_transform(M), transformer.scale_
        transformer.fit(7 * np.roll(M, 20, axis=1))
        np.testing.assert_array_equal(transformer.fit(M).transform(M), first)
        assert transformer.scale_ == learned

    def test_a_pickled_copy_gives_the_same_bits(self):
        M = echoes()
        transformer = EchoFeatures(TIME, part="both").fit(M)
        copy = pickle.loads(pickle.dumps(transformer))
        np.testing.assert_array_equal(copy.transform(M), transformer.transform(M))

    def test_lists_and_foreign_memory_orders_are_taken(self):
        M = echoes()
        wanted = EchoFeatures().fit_transform(M)
        for same in (np.asfortranarray(M), M.astype(">c8")):
            np.testing.assert_array_equal(EchoFeatures().fit_transform(same), wanted)
        assert EchoFeatures(TIME.tolist()).fit_transform(M.tolist()).shape == (6, 400)


class TestNames:
    """Columns by name."""

    def test_a_column_is_named_by_its_quantity_and_time(self):
        transformer = EchoFeatures(TIME).fit(echoes())
        names = transformer.get_feature_names_out()
        assert (names[0], names[-1], len(names)) == ("|M|(200.0 µs)", "|M|(399.5 µs)", 400)

    def test_both_names_re_then_im(self):
        names = EchoFeatures(TIME, part="both").fit(echoes()).get_feature_names_out()
        assert (names[0], names[400], len(names)) == ("Re M(200.0 µs)", "Im M(200.0 µs)", 800)

    def test_without_times_the_sample_is_named(self):
        assert EchoFeatures().fit(echoes()).get_feature_names_out()[0] == "|M|(sample 400)"

    def test_times_that_lie_close_get_as_many_decimals_as_tell_them_apart(self):
        names = EchoFeatures(TIME / 100).fit(echoes()).get_feature_names_out()
        assert names[:2].tolist() == ["|M|(2.000 µs)", "|M|(2.005 µs)"]
        assert len(set(names)) == 400

    def test_a_data_frame_carries_the_names(self):
        transformer = EchoFeatures(TIME, part="real").set_output(transform="pandas")
        frame = transformer.fit_transform(echoes())
        assert list(frame.columns) == transformer.get_feature_names_out().tolist()
        np.testing.assert_array_equal(
            transformer.inverse_transform(frame), transformer.inverse_transform(frame.to_numpy())
        )


class TestPipeline:
    """Together with a model."""

    @pytest.mark.slow
    @pytest.mark.parametrize("part", ["magnitude", "both"])
    def test_a_pipeline_embeds_complex_echoes_and_decodes_them_in_their_unit(self, part):
        M = echoes(20)
        vae = BetaVAE(hidden_layer_sizes=(8,), max_epochs=2, random_state=0)
        pipeline = make_pipeline(EchoFeatures(TIME, part=part), vae)
        Z = pipeline.fit_transform(M)
        assert Z.shape == (20, 2)
        decoded = pipeline.inverse_transform(Z)
        assert decoded.shape == (20, 400)
        assert np.iscomplexobj(decoded) == (part == "both")

    def test_decoding_with_all_components_gives_the_measured_curves_back(self):
        M = echoes(8)
        pipeline = make_pipeline(EchoFeatures(part="both"), PCA()).fit(M)
        back = pipeline.inverse_transform(pipeline.transform(M))
        # Single precision, 800 columns through two matrix products.
        np.testing.assert_allclose(back, in_window(M), rtol=0, atol=800 * 2.0**-24)

    @pytest.mark.slow
    def test_a_search_chooses_the_window(self):
        pipeline = make_pipeline(
            EchoFeatures(), BetaVAE(hidden_layer_sizes=(8,), max_epochs=2, random_state=0)
        )
        search = GridSearchCV(
            pipeline, {"echofeatures__window": ["echo", "echo300"]}, cv=2, error_score="raise"
        )
        search.fit(echoes(20))
        scores = search.cv_results_["mean_test_score"]
        assert np.isfinite(scores).all()
        assert scores[0] != scores[1]
        width = {"echo": 400, "echo300": 300}[search.best_params_["echofeatures__window"]]
        assert search.best_estimator_[-1].n_features_in_ == width


class TestRefusals:
    """Bad input: name, rule, value, cure."""

    @pytest.mark.parametrize(
        ("spoilt", "words"),
        [
            (lambda M: M[0], r"X must have the shape .* shape \(900,\)\. .*curve\[np\.newaxis\]"),
            (lambda M: M[:0], r"at least one curve, but has shape \(0, 900\)"),
            (lambda M: M[:, :0], r"has shape \(6, 0\)"),
            (lambda M: M.astype(str), r"X must hold numbers, but its dtype is <U"),
            (lambda M: np.where(M[2, 7] == M, np.nan, M), r"finite.*nan.* row 2 at column 7 \(1 "),
            (lambda M: np.where(M[2, 7] == M, np.inf, M), r"X must be finite, but is \(?inf.*Drop"),
            (lambda M: M * (np.arange(6) != 3)[:, None], r"a signal.*'initial'.*3 is zero.*Drop"),
            (lambda M: M.real - 1, r"a real X must be \|M\|.* is -.* row 0 at sample 0.*mx \+ 1j"),
            (lambda M: M[:, :700], r"window 'echo' must lie on the record, but needs samples 400"),
        ],
    )
    def test_bad_curves_are_refused(self, spoilt, words):
        bad = spoilt(echoes())
        with pytest.raises(InputError, match=words):
            # The echo of the last one is where it was.
            EchoFeatures(echo_time=ECHO if bad.shape[-1:] == (700,) else None).fit(bad)

    def test_a_curve_without_signal_in_the_window_is_refused_in_transform_too(self):
        M = echoes()
        transformer = EchoFeatures(normalisation="window_max").fit(M)
        M[4, 100:] = 0
        with pytest.raises(InputError, match=r"'window_max'.*curve 4 is zero there"):
            transformer.transform(M)

    @pytest.mark.parametrize("part", ["both", "real", "imaginary", "polar"])
    def test_a_signed_part_of_real_curves_is_refused(self, part):
        with pytest.raises(InputError, match=rf"complex for part='{part}', but is real \(float32"):
            EchoFeatures(TIME, part=part).fit(np.abs(echoes()))

    def test_another_width_than_in_fit_is_refused(self):
        transformer = EchoFeatures().fit(echoes())
        with pytest.raises(
            InputError, match=r"as in fit \(900\), but has shape \(6, 899\)\. [GRL]"
        ):
            transformer.transform(echoes()[:, 1:])

    @pytest.mark.parametrize(
        ("time", "words"),
        [
            (TIME[:-1], r"time must have one value per sample.*\(900,\), but has shape \(899,\)"),
            (TIME[::-1], r"rise from sample to sample, but goes 449\.5, 449 µs at sample 0"),
            (np.maximum(TIME, 1), r"but goes 1, 1 µs at sample 0\. Sort the samples"),
            (np.where(TIME == 5, np.nan, TIME), r"finite.* nan, 5.5 µs at sample 10"),
            (np.where(TIME[-1] <= TIME, np.inf, TIME), r"finite.* inf µs at sample 899"),
            (np.where(TIME == 0, -np.inf, TIME), r"finite.* -inf, 0.5 µs at sample 0"),
        ],
    )
    def test_a_bad_time_is_refused(self, time, words):
        with pytest.raises(InputError, match=words):
            EchoFeatures(time).fit(echoes())

    @pytest.mark.parametrize("echo_time", [-0.1, 449.6, np.nan, "late"])
    def test_an_echo_off_the_record_is_refused(self, echo_time):
        with pytest.raises(InputError, match=r"echo_time must be >= 0 and <= 449\.5 µs.* None to"):
            EchoFeatures(TIME, echo_time=echo_time).fit(echoes())

    @pytest.mark.parametrize(
        ("option", "near"),
        [("window", "ehco"), ("part", "magnitud"), ("normalisation", "inital")],
    )
    def test_a_misspelt_option_gets_a_suggestion(self, option, near):
        with pytest.raises(InputError, match=rf"{option} must be one of.*'{near}'.*Did you mean"):
            EchoFeatures(**{option: near}).fit(echoes())

    @pytest.mark.parametrize(
        ("features", "words"),
        [
            (np.ones((2, 399)), r"800 columns for part='both', but are float64 of shape \(2, 399"),
            (np.ones((2, 800), complex), r"features must be real.*complex128"),
            (np.full((2, 800), np.nan), r"features must be finite"),
            (np.ones(800), r"features must have the shape"),
        ],
    )
    def test_bad_features_are_refused(self, features, words):
        with pytest.raises(InputError, match=words):
            EchoFeatures(part="both").fit(echoes()).inverse_transform(features)


class TestShorthand:
    """`ln.features`: the same for a data set, whose attribute says where the echo is."""

    @pytest.mark.parametrize("part", PARTS)
    @pytest.mark.parametrize("normalisation", NORMALISATIONS)
    @pytest.mark.parametrize("window", ["echo", "full", "echo300"])
    def test_it_gives_the_bits_of_the_transformer(self, window, normalisation, part):
        if (window, normalisation) == ("full", "height"):
            with pytest.raises(InputError, match="window must be about the echo"):
                features(data_set(echoes()), window, normalisation, part)
            return
        M = echoes()
        transformer = EchoFeatures(TIME, window, part, normalisation, echo_time=TIME[ECHO])
        np.testing.assert_array_equal(
            features(data_set(M), window, normalisation, part), transformer.fit_transform(M)
        )

    def test_it_is_single_precision_whatever_the_data(self):
        assert features(data_set(echoes(dtype=np.complex128))).dtype == np.float32

    def test_any_order_of_dimensions_is_taken(self):
        dataset = data_set(echoes())
        turned = features(dataset.transpose("time", "curve"), part="both")
        np.testing.assert_array_equal(turned, features(dataset, part="both"))

    def test_a_signed_part_of_a_set_of_magnitudes_is_refused(self):
        compact = data_set(echoes()).drop_vars("my").rename(mx="magnitude")
        compact["magnitude"] = abs(compact["magnitude"])
        assert features(compact).shape == (6, 400)
        with pytest.raises(InputError, match="must hold both mx and my"):
            features(compact, part="both")

    def test_an_unknown_part_is_refused(self):
        with pytest.raises(InputError, match=r"part must be one of.*'phase'"):
            features(data_set(echoes()), part="phase")


class TestCutRecords:
    """`echo_index` counts from a record's first sample; a cut record has another one."""

    @pytest.mark.parametrize(
        ("kept", "words"),
        [
            (slice(1, None), r"sample 600 stands at 300\.5 µs and not at 300\.0 µs"),
            (slice(None, None, 2), r"sample 449 stands at 449\.0 µs and not at 224\.5 µs"),
            (slice(500, None), r"sample 399 stands at 449\.5 µs and not at 199\.5 µs"),
        ],
    )
    def test_a_record_cut_or_thinned_in_time_is_refused(self, kept, words):
        cut = data_set(echoes(), dt_us=DT).isel(time=kept)
        for use in (features, lambda dataset: window_time(dataset, "full"), echo_sample):
            with pytest.raises(InputError, match=words + r".*Take the features first"):
                use(cut)

    def test_a_record_that_only_ends_earlier_is_taken(self):
        dataset = data_set(echoes(), dt_us=DT)
        np.testing.assert_array_equal(features(dataset.isel(time=slice(800))), features(dataset))

    def test_the_cure_of_the_message_works(self):
        cut = data_set(echoes(), dt_us=DT).isel(time=slice(100, None))
        cut.attrs["echo_index"] = ECHO - 100
        del cut.attrs["dt_us"]
        M = echoes()[:, 100:]
        transformer = EchoFeatures(echo_time=ECHO - 100)
        np.testing.assert_array_equal(features(cut), transformer.fit_transform(M))

"""Audits of decoders: those whose answer is known, new curves, and data that do not fit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import latent_nmr as ln
from latent_nmr.analysis.neighbourhood import PARAMETERS, neighbourhoods
from latent_nmr.analysis.traversal import traverse
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.spectrometer import add_noise
from latent_nmr.data.windows import features
from latent_nmr.errors import InputError
from latent_nmr.physics.kernels import KERNELS
from latent_nmr.report.audit import KERNEL_SYMBOLS, remarks
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies.audit._numbers import point_rows
from latent_nmr.studies.audit._simulations import (
    FIRST_NEW,
    record_of,
    simulate_at,
    simulation_of,
)
from latent_nmr.studies.audit._study import audit_axes
from latent_nmr.studies.trained_model import describe_data

N_CURVES = 160
FEW = {"n_steps": 2, "n_neighbors": 10, "n_simulations": 4, "progress": False}


@pytest.fixture(scope="module")
def data():
    """Echoes of a small lattice."""
    return ln.simulate("paper", N_CURVES, n_edge=12, step=4, seed=0)


def judged(model, dataset, simulation, axes, *, span, n_steps, n_neighbors, n_simulations, **more):
    """Audits of some axes of anything that decodes."""
    walks = [traverse(model, model.n_components, a, span=span, n_steps=n_steps) for a in axes]
    return audit_axes(
        model,
        dataset,
        model.X,
        simulation,
        walks,
        n_neighbors=n_neighbors,
        n_simulations=n_simulations,
        **({"ledger": Ledger(None, {})} | more),
    )


class Oracle:
    """A "model" whose latent plane is (W, L) and whose decoder is the simulator's own mean.

    Parameters
    ----------
    extra : ndarray, shape (n_features,)
        Added to every decoded curve.
    """

    n_components = 2

    def __init__(self, dataset, extra=0.0):
        self.X = features(dataset)
        self.metadata_ = describe_data(dataset, self.X, FeatureSettings())
        self.labels = {name: dataset[name].to_numpy() for name in PARAMETERS}
        scale = [
            (dataset[name].to_numpy() - c) / w for name, c, w in (("W", 0.2, 0.03), ("L", 4, 1))
        ]
        self.latent = np.column_stack(scale)
        self.simulation = simulation_of(dataset, 77)
        self.extra = extra

    def transform(self, X):
        assert len(X) == len(self.latent)
        return self.latent

    def inverse_transform(self, points):
        places = neighbourhoods(points, self.latent, self.labels, 10)
        means = [
            simulate_at(place, self.simulation, range(24), self.metadata_).curves.mean(axis=0)
            for place in places
        ]
        return np.array(means) + self.extra


class TestKnownDecoders:
    """Decoders that are the simulator, and one that adds to it."""

    @pytest.mark.parametrize("fwhm", [None, 0.08])
    def test_curves_have_the_line_of_the_data(self, fwhm):
        dataset = ln.simulate("paper", 3, n_edge=8, fwhm=fwhm)
        own = simulation_of(dataset, 4).resolve().line.fwhm
        assert own == dataset.attrs["fwhm_MHz"]

    def judged(self, data, extra=0.0, **settings):
        dataset = data.copy()
        model = Oracle(dataset, extra)
        settings = {"span": 1.0, "n_steps": 3, "n_neighbors": 10, "n_simulations": 8} | settings
        simulation = simulation_of(dataset, 0)
        return judged(model, dataset, simulation, (1, 2), **settings)

    @pytest.mark.slow
    def test_the_simulators_own_mean_is_faithful_and_inside_the_band(self, data):
        points = [point for audit, _ in self.judged(data) for point in audit.points]
        assert [point.verdict for point in points] == ["faithful"] * 6
        assert np.mean([point.simulation.outside for point in points]) < 0.05

    def test_a_bump_is_found_at_its_time_in_every_curve(self, data):
        time = Oracle(data.copy()).metadata_["time_us"]
        bump = 2.0 * np.exp(-(((np.array(time) - 180.0) / 2) ** 2))
        for audit, _ in self.judged(data, bump):
            for point in audit.points:
                assert point.verdict == "invents"
                assert point.worst_time == pytest.approx(180.0, abs=2.0)
                assert point.shares["early"] > 0.9
            assert audit.summary.invents or audit.summary.off_data_invents

    def test_an_axis_is_the_same_whichever_others_are_asked_for(self, data):
        dataset = data.copy()
        model = Oracle(dataset)
        settings = {"span": 1.0, "n_steps": 2, "n_neighbors": 10, "n_simulations": 4}
        both, alone = (
            judged(model, dataset, model.simulation, axes, **settings)[-1][0]
            for axes in ((1, 2), (2,))
        )
        for one, other in zip(both.points, alone.points, strict=True):
            np.testing.assert_array_equal(one.simulation.mean, other.simulation.mean)

    def test_a_walk_far_out_is_off_the_data(self, data):
        (audit, _), _ = self.judged(data, span=30.0, n_simulations=4)
        assert [point.is_off_data for point in audit.points] == [True, False, True]


class TestInterrupted:
    """An audit that was killed."""

    SETTINGS = {"span": 1.0, "n_steps": 3, "n_neighbors": 10, "n_simulations": 4}  # noqa: RUF012

    def test_it_continues_without_simulating_a_finished_point_again(self, data, tmp_path):
        model = Oracle(data.copy())
        given = (model, data, model.simulation, (1,))
        finished = []

        def kill_at_the_second():
            finished.append({p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.npz")})
            if len(finished) == 2:
                raise KeyboardInterrupt

        ledger = Ledger(tmp_path, {"data": "these"})
        with pytest.raises(KeyboardInterrupt):
            judged(*given, **self.SETTINGS, ledger=ledger, on_point=kill_at_the_second)
        before = finished[-1]
        assert len(before) == 2
        ((again, _),) = judged(*given, **self.SETTINGS, ledger=ledger)
        after = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.npz")}
        assert len(after) == 3
        assert {path: after[path] for path in before} == before
        ((whole, _),) = judged(*given, **self.SETTINGS)
        for one, other in zip(again.points, whole.points, strict=True):
            np.testing.assert_array_equal(one.simulation.mean, other.simulation.mean)
            assert (one.verdict, one.simulation.rms) == (other.verdict, other.simulation.rms)


class TestNewCurves:
    """What is simulated at a point."""

    @pytest.fixture
    def place(self, data):
        dataset = data.copy()
        labels = {name: dataset[name].to_numpy() for name in PARAMETERS}
        latent = np.random.default_rng(0).normal(size=(N_CURVES, 2))
        return neighbourhoods(np.zeros((1, 2)), latent, labels, 10)[0]

    def test_a_curve_of_the_data_is_made_again_from_its_own_labels(self, data, place):
        dataset = data.copy()
        X = features(dataset)
        metadata = describe_data(dataset, X, FeatureSettings())
        for row in (0, 1, 2):  # one of each kernel
            curve = dataset.isel(curve=row)
            own = type(place)(
                place.rows, place.distances, str(curve["kernel"].item()), 1,
                float(curve["alpha_x"]), float(curve["alpha_z"]), float(curve["L"]),
            )  # fmt: skip
            # The data's own seed and number: the same offset map.
            simulation = simulation_of(dataset, dataset.attrs["seed"])
            new = simulate_at(own, simulation, [row], metadata)
            assert new.parameter.value == pytest.approx(float(curve["kernel_parameter"]))
            # float32, along a record of 1882 samples.
            np.testing.assert_allclose(new.curves[0], X[row], rtol=0, atol=2e-3)

    def test_settings_are_those_of_the_data_with_another_seed(self, data):
        dataset = data.copy()
        simulation = simulation_of(dataset, 5)
        assert (simulation.n_edge, simulation.step, simulation.seed) == (12, 4.0, 5)
        assert simulation.line_draw == "independent"

    def test_a_length_out_of_the_kernels_reach_is_remarked(self, data):
        dataset = data.copy()
        model = Oracle(dataset)
        settings = {"span": 1.0, "n_steps": 2, "n_neighbors": 10, "n_simulations": 4}
        whole = judged(model, dataset, model.simulation, (1,), **settings)
        assert remarks(point_rows(whole)) == []
        # On a smaller lattice no kernel reaches as far.
        simulation = replace(model.simulation, n_edge=8)
        clipped = judged(model, dataset, simulation, (1,), **settings)
        sentences = remarks(point_rows(clipped))
        assert len(sentences) == 2
        place = clipped[0][0].points[0].place
        assert sentences[0].startswith(f"LA1, z = -1: L = {place.coupling_length:.2f} is out of ")
        assert f"of {place.kernel}; simulated at " in sentences[0]

    def test_no_data_set_reaches_the_numbers_of_new_offset_maps(self):
        assert 2**24 < FIRST_NEW < 2**32 - 10**6


class TestUnfitData:
    """Data with which a new simulation cannot be compared."""

    def refusal(self, data, **attributes):
        dataset = data.copy()
        dataset.attrs |= attributes
        with pytest.raises(InputError) as caught:
            simulation_of(dataset, 0)
        return str(caught.value)

    @pytest.mark.parametrize("preset", ["challenge2020", None])
    def test_another_preset(self, data, preset):
        message = self.refusal(data, preset=preset)
        assert message.startswith("data must be of preset paper")
        assert f"are of preset {preset!r}." in message

    def test_one_frozen_field_for_all_curves(self, data):
        message = self.refusal(data, line_draw="frozen")
        assert "must have a new offset map for every curve" in message
        assert message.endswith("Use independent or stratified.")

    def test_curves_that_a_spectrometer_has_changed(self, data):
        noisy = add_noise(data.copy(), 0.01, seed=0)
        with pytest.raises(InputError, match=r"as they were simulated.*flaws were added to them"):
            simulation_of(noisy, 0)


class TestResult:
    """What a notebook gets."""

    @pytest.fixture(scope="class")
    @staticmethod
    def model(data):
        few = {"max_epochs": 2, "min_epoch_steps": 1}
        model = ln.BetaVAE(hidden_layer_sizes=(8,), random_state=0, **few)
        return ln.train(data.isel(curve=slice(40)), model=model, progress=False).model

    def test_a_loaded_result_has_the_same_table_and_draws_the_same(self, model, data, tmp_path):
        result = ln.audit(model, data, axes=(2,), **FEW)
        result.save(tmp_path / "audit")
        again = ln.AuditResult.load(tmp_path / "audit")
        pd.testing.assert_frame_equal(again.table, result.table)
        assert list(again.figures) == ["LA2", "profile"]
        assert len(again.figures["LA2"].axes) == len(result.figures["LA2"].axes) >= 2

    def test_records_hold_every_number_of_the_table(self, model, data):
        result = ln.audit(model, data, axes=(1,), **FEW)
        own = result.records[(result.records["score"] == "rms") & (result.records["z"] == 2.5)]
        assert own["value"].tolist() == result.table[result.table["z"] == 2.5]["rms"].tolist()

    def test_finished_points_are_not_simulated_again(self, model, data, tmp_path):
        first = ln.audit(model, data, axes=(1,), folder=tmp_path, **FEW)
        before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("steps/*")}
        assert len(before) == 2
        again = ln.audit(model, data, folder=tmp_path, **FEW)
        after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("steps/*")}
        assert before.items() <= after.items()
        assert len(after) == 4
        pd.testing.assert_frame_equal(again.table[:2], first.table)

    def test_symbols_are_those_of_the_kernels(self):
        assert {name: kernel.symbol for name, kernel in KERNELS.items()} == KERNEL_SYMBOLS


@pytest.fixture(scope="module")
def both():
    """Echoes of two protocols with different spacings."""
    return ln.simulate("paper", 8, n_edge=8, step=4, seed=0, protocols=[(90, 50), (60, 100)])


class TestProtocols:
    """Echoes of several pulses: new curves and parts of the record are of each."""

    def new_curves(self, dataset, part="magnitude"):
        """Some new curves of the first material, in features of a model of these data."""
        settings = FeatureSettings.for_data(dataset, "echo", "initial", part)
        metadata = describe_data(dataset, settings.of(dataset), settings)
        labels = {name: dataset[name].to_numpy() for name in PARAMETERS}
        place = neighbourhoods(np.zeros((1, 1)), np.arange(8.0)[:, None], labels, 4)[0]
        simulation = simulation_of(dataset, 3)
        record = record_of(simulation, metadata)
        return simulate_at(place, simulation, range(FIRST_NEW, FIRST_NEW + 4), metadata), record

    def test_new_curves_are_those_of_each_protocol_side_by_side(self, both):
        joined, record = self.new_curves(both)
        names = both.protocol.to_numpy()
        alone = [self.new_curves(both.sel(protocol=name)) for name in names]
        curves = [new.curves for new, _ in alone]
        # Rows of one run: sums in another order, in float32 along a record.
        np.testing.assert_allclose(joined.curves, np.hstack(curves), rtol=0, atol=1e-5)
        assert list(record.regions) == [region for _, own in alone for region in own.regions]
        np.testing.assert_array_equal(record.time, np.hstack([own.time for _, own in alone]))

    def test_parts_of_the_record_are_about_the_protocols_own_echo(self, both):
        _, record = self.new_curves(both)
        echo = record.time[np.array(record.regions) == "echo"]
        for twice_tau in (100, 200):
            assert np.sum(abs(echo - twice_tau) <= 10) == 125  # samples of 1/(2π) µs in 20 µs
        assert len(echo) == 250

    def test_the_order_of_the_data_is_that_of_the_new_curves(self, both):
        joined, _ = self.new_curves(both)
        turned, _ = self.new_curves(both.isel(protocol=[1, 0]))
        np.testing.assert_allclose(
            turned.curves, np.roll(joined.curves, 400, axis=1), rtol=0, atol=1e-5
        )

    def test_a_pair_is_audited_in_amplitudes_and_the_difference_of_frequencies(self):
        pair = ln.simulate("paper-pair", 24, n_edge=8, step=4, seed=0)
        small = ln.BetaVAE(hidden_layer_sizes=(8,), max_epochs=2, min_epoch_steps=2, random_state=0)
        model = ln.train(pair, part="polar", window="full", model=small).model
        r = ln.audit(model, pair, axes=(1,), **FEW | {"n_neighbors": 5})
        assert list(r.figures) == ["LA1", "LA1_120deg", "LA1_difference", "profile"]
        panel = r.figures["LA1_120deg"].axes[0]
        assert {"120°", "240°", "echo"} <= {text.get_text() for text in panel.texts}
        assert r.arrays["decoded/1"].shape == (2, model.n_features_in_)

    def test_an_audit_of_other_protocols_than_the_models_is_refused(self, both):
        small = ln.BetaVAE(hidden_layer_sizes=(8,), max_epochs=2, min_epoch_steps=2, random_state=0)
        model = ln.train(both, model=small).model
        with pytest.raises(InputError, match="data must have the protocols of the model"):
            ln.audit(model, both.isel(protocol=0), **FEW)

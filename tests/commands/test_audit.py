"""latent-nmr audit, run whole; and the audit of decoders whose answer is known."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latent_nmr.analysis.neighbourhood import PARAMETERS, neighbourhoods
from latent_nmr.commands._audit import (
    FIRST_FRESH,
    audit_axes,
    prepare,
    remarks,
    simulate_at,
)
from latent_nmr.commands.main import main
from latent_nmr.data.compact import save_compact
from latent_nmr.data.io import open_echoes
from latent_nmr.data.spectrometer import add_noise
from latent_nmr.data.windows import features
from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies.trained_model import describe_data

N_CURVES = 160
SMALL = ["--n-edge", "12", "--step", "4"]
FEW = ["--n-steps", "3", "--n-neighbours", "10", "--n-fields", "4"]


def simulate(path, *more):
    return ["simulate", "--n-curves", str(N_CURVES), *SMALL, "--out", str(path), *more]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Echoes of a small lattice, a model trained on them, and its audit along the second axis."""
    folder = tmp_path_factory.mktemp("audit")
    assert main(simulate(folder / "echoes.zarr")) == 0
    dataset = open_echoes(folder / "echoes.zarr")
    X = features(dataset)
    model = BetaVAE(hidden_layer_sizes=(8,), max_epochs=5, min_epoch_steps=5, random_state=0).fit(X)
    model.save(folder / "model", metadata=describe_data(dataset, X, "echo", "initial"))
    assert main(arguments(folder, folder / "done", "--axis", "2", "--seed", "3")) == 0
    return folder


@pytest.fixture
def finished(workplace, tmp_path):
    """Copy of a finished audit."""
    return shutil.copytree(workplace / "done", tmp_path / "done")


@pytest.fixture
def data(workplace):
    return workplace / "echoes.zarr"


def arguments(workplace, out, *more, data=None):
    words = ["audit", workplace / "model", data or workplace / "echoes.zarr", "--out", out]
    return [str(word) for word in (*words, *FEW, *more)]


def refused(capsys, words):
    """Run a command that must end with exit code 2; return its one line of complaint."""
    capsys.readouterr()
    assert main(words) == 2
    output = capsys.readouterr()
    assert output.out == ""
    (complaint,) = (row for row in output.err.splitlines() if row.startswith("latent-nmr"))
    return complaint


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
        self.metadata_ = describe_data(dataset, self.X, "echo", "initial")
        self.labels = {name: dataset[name].to_numpy() for name in PARAMETERS}
        scale = [
            (dataset[name].to_numpy() - c) / w for name, c, w in (("W", 0.2, 0.03), ("L", 4, 1))
        ]
        self.latent = np.column_stack(scale)
        self.simulation = prepare(dataset, "echoes", 77)
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

    def audit(self, data, extra=0.0, **settings):
        dataset = open_echoes(data)
        model = Oracle(dataset, extra)
        settings = {"span": 1.0, "n_steps": 3, "n_neighbours": 10, "n_fields": 8} | settings
        simulation = prepare(dataset, data, 0)
        return audit_axes(model, dataset, model.X, simulation, (1, 2), **settings)

    def test_the_simulators_own_mean_is_faithful_and_inside_the_band(self, data):
        points = [point for audit, _ in self.audit(data) for point in audit.points]
        assert [point.verdict for point in points] == ["faithful"] * 6
        assert np.mean([point.simulation.outside for point in points]) < 0.05

    def test_a_bump_is_found_at_its_time_in_every_curve(self, data):
        time = Oracle(open_echoes(data)).metadata_["time_us"]
        bump = 2.0 * np.exp(-(((np.array(time) - 180.0) / 2) ** 2))
        for audit, _ in self.audit(data, bump):
            for point in audit.points:
                assert point.verdict == "invents"
                assert point.worst_time == pytest.approx(180.0, abs=2.0)
                assert point.shares["early"] > 0.9
            assert "invents structure" in audit.sentence or "inventing" in audit.sentence

    def test_an_axis_is_the_same_whichever_others_are_asked_for(self, data):
        dataset = open_echoes(data)
        model = Oracle(dataset)
        settings = {"span": 1.0, "n_steps": 2, "n_neighbours": 10, "n_fields": 4}
        both, alone = (
            audit_axes(model, dataset, model.X, model.simulation, axes, **settings)[-1][0]
            for axes in ((1, 2), (2,))
        )
        for one, other in zip(both.points, alone.points, strict=True):
            np.testing.assert_array_equal(one.simulation.mean, other.simulation.mean)

    def test_a_walk_far_out_is_off_the_data(self, data):
        (audit, _), _ = self.audit(data, span=30.0, n_fields=4)
        assert [point.is_off_data for point in audit.points] == [True, False, True]


class TestFreshCurves:
    """What is simulated at a point."""

    @pytest.fixture
    def place(self, data):
        dataset = open_echoes(data)
        labels = {name: dataset[name].to_numpy() for name in PARAMETERS}
        latent = np.random.default_rng(0).normal(size=(N_CURVES, 2))
        return neighbourhoods(np.zeros((1, 2)), latent, labels, 10)[0]

    def test_a_curve_of_the_data_is_made_again_from_its_own_labels(self, data, place):
        dataset = open_echoes(data)
        X = features(dataset)
        metadata = describe_data(dataset, X, "echo", "initial")
        for row in (0, 1, 2):  # one of each kernel
            curve = dataset.isel(curve=row)
            own = type(place)(
                place.rows, place.distances, str(curve["kernel"].item()), 1,
                float(curve["alpha_x"]), float(curve["alpha_z"]), float(curve["L"]),
            )  # fmt: skip
            # The data's own seed and number: the same ν field.
            simulation = prepare(dataset, data, dataset.attrs["seed"])
            fresh = simulate_at(own, simulation, [row], metadata)
            assert fresh.parameter.value == pytest.approx(float(curve["kernel_parameter"]))
            # float32, along a record of 1882 samples.
            np.testing.assert_allclose(fresh.curves[0], X[row], rtol=0, atol=2e-3)

    def test_settings_are_those_of_the_data_with_another_seed(self, data):
        dataset = open_echoes(data)
        simulation = prepare(dataset, data, 5)
        assert (simulation.n_edge, simulation.step, simulation.seed) == (12, 4.0, 5)
        assert simulation.line_draw == "independent"

    @pytest.mark.slow
    def test_a_length_out_of_the_kernels_reach_is_remarked(self, data):
        dataset = open_echoes(data)
        model = Oracle(dataset)
        settings = {"span": 1.0, "n_steps": 2, "n_neighbours": 10, "n_fields": 4}
        whole = audit_axes(model, dataset, model.X, model.simulation, (1,), **settings)
        assert remarks(whole) == []
        # On a smaller lattice no kernel reaches as far.
        simulation = replace(model.simulation, n_edge=8)
        clipped = audit_axes(model, dataset, model.X, simulation, (1,), **settings)
        sentences = remarks(clipped)
        assert len(sentences) == 2
        place = clipped[0][0].points[0].place
        assert sentences[0].startswith(f"LA1, z = -1: L = {place.coupling_length:.2f} is out of ")
        assert f"of {place.kernel}; simulated at " in sentences[0]

    def test_no_data_set_reaches_the_numbers_of_fresh_fields(self):
        assert 2**24 < FIRST_FRESH < 2**32 - 10**6


class TestOutput:
    """Folder, report, JSON."""

    def test_a_folder_with_table_manifest_and_figures(self, workplace, tmp_path, capsys):
        out = tmp_path / "audit"
        assert main(arguments(workplace, out)) == 0
        names = {path.name for path in out.iterdir()}
        assert names == {"LA1.png", "LA2.png", "profile.png", "audit.csv", "audit.json"}
        output = capsys.readouterr().out
        manifest = json.loads((out / "audit.json").read_text("utf-8"))
        assert output.splitlines()[:2] == manifest["sentences"]
        table = pd.read_csv(out / "audit.csv")
        assert list(table["z"]) == [-2.5, 0.0, 2.5] * 2
        assert list(table["axis"]) == ["LA1"] * 3 + ["LA2"] * 3
        for row, point in zip(table.to_dict("records"), manifest["points"], strict=True):
            for name, value in point.items():
                same = row[name] == value or row[name] == pytest.approx(value)
                assert same, name
        assert set(table["verdict"]) <= {"faithful", "averages", "invents"}

    def test_the_command_in_the_manifest_makes_the_same_again(self, finished, tmp_path):
        again = tmp_path / "again"
        manifest = (finished / "audit.json").read_text("utf-8")
        program, *words = json.loads(manifest)["command"].split()
        assert program == "latent-nmr"
        assert main([*words, "--out", str(again)]) == 0
        made = sorted(path.name for path in again.iterdir())
        assert made == sorted(path.name for path in finished.iterdir())
        for name in made:
            assert (finished / name).read_bytes() == (again / name).read_bytes(), name

    def test_the_numbers_are_those_of_the_model_and_the_data(self, workplace, tmp_path, capsys):
        out = tmp_path / "audit"
        capsys.readouterr()
        assert main(arguments(workplace, out, "--axis", "1", "--json")) == 0
        result = json.loads(capsys.readouterr().out)
        assert result["n_curves"] == N_CURVES
        assert result["n_fitted"] == len(BetaVAE.load(workplace / "model").training_rows_)
        dataset = open_echoes(workplace / "echoes.zarr")
        model = BetaVAE.load(workplace / "model")
        latent = model.transform(features(dataset))
        nearest = np.argsort(np.linalg.norm(latent, axis=1))[:10]
        middle = result["points"][1]
        assert middle["W"] == pytest.approx(float(dataset["W"].to_numpy()[nearest].mean()))
        residual = model.inverse_transform(np.zeros((1, 2)))[0] - features(dataset)[nearest].mean(0)
        assert middle["rms_neighbours"] == pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-4)

    def test_stratified_data_are_said_to_have_less_scatter(self, workplace, tmp_path, capsys):
        data = tmp_path / "stratified.zarr"
        assert main(simulate(data, "--line-draw", "stratified")) == 0
        save_compact(open_echoes(data), tmp_path / "set.npz")
        words = arguments(workplace, tmp_path / "out", "--axis", "1", data=tmp_path / "set.npz")
        assert main(words) == 0
        output = capsys.readouterr().out
        assert "of the spatial order alone" in output
        assert "0 of which the model was fitted to" in output


class TestDocument:
    """docs/audit.md shows what was measured."""

    ROOT = Path(__file__).parents[2]

    def test_its_sentences_and_numbers_are_those_of_the_committed_audit(self):
        text = " ".join((self.ROOT / "docs" / "audit.md").read_text("utf-8").split())
        folder = self.ROOT / "artifacts" / "audit" / "echo"
        result = json.loads((folder / "audit.json").read_text("utf-8"))
        for sentence in result["sentences"]:
            assert sentence in text
        for point in result["points"]:
            row = (
                f"| {point['axis']} | {point['z']:g} | {point['verdict']} | "
                f"{'yes' if point['off_data'] else ''} | {point['rms']:.4f} | "
                f"{point['ratio']:.1f} | {point['outside']:.0%} | {point['rms_neighbours']:.4f} | "
                f"{point['worst_residual']:+.3f} at {point['worst_time_us']:.1f} |"
            )
            assert " ".join(row.split()) in text
        assert all(f"audit/echo/{name}.png" in text for name in ("LA1", "LA2", "profile"))


class TestRefusals:
    """Bad input ends with exit code 2 and one line."""

    def test_an_existing_audit_without_force(self, workplace, finished, capsys):
        before = (finished / "audit.json").read_bytes()
        words = arguments(workplace, finished, "--axis", "1")
        assert "holds an audit. Choose another, or use --force" in refused(capsys, words)
        assert (finished / "audit.json").read_bytes() == before
        assert main([*words, "--force"]) == 0
        assert not (finished / "LA2.png").exists()
        assert (finished / "LA1.png").is_file()

    def test_force_where_there_are_other_files_too(self, workplace, finished, capsys):
        (finished / "notes.txt").write_text("mine")
        complaint = refused(capsys, arguments(workplace, finished, "--force"))
        assert "but an audit's own files" in complaint
        assert "notes.txt" in complaint

    def test_a_folder_of_something_else_even_with_force(self, workplace, capsys):
        words = arguments(workplace, workplace / "model", "--force")
        assert "holds something else" in refused(capsys, words)
        assert BetaVAE.load(workplace / "model")

    def test_nothing_is_left_of_a_run_that_failed(self, workplace, tmp_path, monkeypatch):
        def broken(*_):
            raise OSError(28, "No space left on device", "disk")

        monkeypatch.setattr("latent_nmr.plots.style.save_figure", broken)
        assert main(arguments(workplace, tmp_path / "audit", "--axis", "1")) == 2
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("axis", ["0", "3"])
    def test_an_axis_that_the_model_lacks(self, workplace, tmp_path, capsys, axis):
        words = arguments(workplace, tmp_path / "out", "--axis", "1", axis)
        assert f"--axis must be among 1..2, the model's latent axes, but is {axis}." in refused(
            capsys, words
        )

    @pytest.mark.parametrize(
        ("flag", "value", "rule"),
        [
            ("--n-fields", "3", "--n-fields must be a whole number of at least 4"),
            ("--n-neighbours", "3", "--n-neighbours must be a whole number of at least 4"),
            ("--n-neighbours", "160", "more curves than n_neighb"),
            ("--n-steps", "1", "--n-steps must be a whole number of at least 2"),
            ("--span", "0", "--span must be > 0"),
            ("--seed", "-1", "--seed must be a whole number of at least 0"),
        ],
    )
    def test_numbers_out_of_bounds(self, workplace, tmp_path, capsys, flag, value, rule):
        assert rule in refused(capsys, arguments(workplace, tmp_path / "out", flag, value))

    def test_data_without_labels(self, workplace, data, tmp_path, capsys):
        bare = tmp_path / "bare.npz"
        save_compact(open_echoes(data).drop_vars(["L", "alpha_z"]), bare)
        complaint = refused(capsys, arguments(workplace, tmp_path / "out", data=bare))
        assert "must have the labels alpha_x, alpha_z, L, kernel" in complaint
        assert "bare.npz lacks alpha_z, L." in complaint

    def test_a_model_of_another_window(self, workplace, tmp_path, capsys):
        other = tmp_path / "short.npz"
        dataset = open_echoes(workplace / "echoes.zarr")
        moved = dataset.assign_coords(time=dataset["time"] * 2)
        moved.attrs["dt_us"] *= 2
        save_compact(moved, other)
        complaint = refused(capsys, arguments(workplace, tmp_path / "out", data=other))
        assert "data must be sampled like those the model was trained on" in complaint


class TestUnfitData:
    """Data with which a fresh simulation cannot be compared."""

    def refusal(self, data, **attributes):
        dataset = open_echoes(data)
        dataset.attrs |= attributes
        with pytest.raises(InputError) as caught:
            prepare(dataset, "set", 0)
        return str(caught.value)

    @pytest.mark.parametrize("preset", ["challenge2020", None])
    def test_another_preset(self, data, preset):
        message = self.refusal(data, preset=preset)
        assert message.startswith("data must be of preset paper")
        assert f"set is of preset {preset!r}." in message

    def test_one_frozen_field_for_all_curves(self, data):
        message = self.refusal(data, line_draw="frozen")
        assert "must have a new ν field for every curve" in message
        assert message.endswith("Use independent or stratified.")

    def test_curves_that_a_spectrometer_has_changed(self, data):
        noisy = add_noise(open_echoes(data), 0.01, seed=0)
        with pytest.raises(InputError, match=r"as they were simulated.*flaws were added to set"):
            prepare(noisy, "set", 0)

"""The challenge: scores, submissions, saved networks, and models of any origin."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import latent_nmr as ln
from latent_nmr.data.submission import check_submission
from latent_nmr.report.challenge import challenge_lines, challenge_values
from latent_nmr.studies.challenge._contenders import contenders, seeing
from latent_nmr.studies.challenge._editions import EDITIONS, inputs_of, targets_of
from latent_nmr.studies.challenge._fits import fitted_and_tested

N_CURVES, N_EVALUATION = 60, 20
# Short records of small lattices, of the scheme whose program is the shortest, and networks that
# learn nothing: what models can do is tested where they are.
FAST = {"n_edge": 8, "scheme": "source"}
TINY = {"max_epochs": 2, "hidden_layer_sizes": (8,), "n_networks": 1}


@pytest.fixture(scope="module")
def gauss():
    return ln.simulate("challenge2021-gauss", N_CURVES + N_EVALUATION, **FAST)


@pytest.fixture(scope="module")
def own(gauss):
    return gauss.isel(curve=slice(N_CURVES))


@pytest.fixture(scope="module")
def evaluation(gauss):
    return gauss.isel(curve=slice(N_CURVES, None))


@pytest.fixture(scope="module")
def spin():
    return ln.simulate("challenge2021-spin", N_CURVES, **FAST)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("challenge")


@pytest.fixture(scope="module")
def result(own, evaluation, folder):
    """Every model, two seeds, another set beside."""
    return ln.challenge(
        "2021-gauss",
        own,
        evaluation=evaluation,
        also={"other": own.isel(curve=slice(25))},
        n_seeds=2,
        network_parameters=TINY,
        folder=folder,
    )


def magnitude_of(dataset):
    """The set with |M| in place of mx and my."""
    length = np.hypot(dataset["mx"], dataset["my"])
    return dataset.assign(magnitude=length).drop_vars(["mx", "my"])


@pytest.fixture(scope="module")
def alone(own):
    """Networks and a pipeline on |M|; a complex set beside."""
    return ln.challenge(
        "2021-gauss", magnitude_of(own), models=("deep", "winners"), n_seeds=1,
        also={"complex": own.isel(curve=slice(25))}, network_parameters=TINY,
    )  # fmt: skip


def scores(result, **facts):
    """Values of records with these facts, by score and target."""
    records = result.records
    for name, value in facts.items():
        records = records[records[name] == value]
    return records.set_index(["score", "target"])["value"]


class Failing(RegressorMixin, BaseEstimator):
    """A foreign regressor that fails in a way of its own."""

    def __init__(self, way="raises", random_state=None):
        self.way = way
        self.random_state = random_state

    def fit(self, X, y):  # noqa: ARG002
        if self.way == "raises" and self.random_state % 2:
            raise RuntimeError("no convergence\nafter 3 steps")
        self.mean_ = y.mean(axis=0)
        return self

    def predict(self, X):
        found = np.tile(self.mean_, (len(X), 1))
        return {"nan": found * np.nan, "flat": found[:, 0]}.get(self.way, found)


class TestScores:
    """Every fit is scored on curves that it has not seen."""

    def test_every_model_and_seed_has_its_scores(self, result):
        names = ["baseline", "deep", "winners", "best", "peeking"]
        assert list(dict.fromkeys(result.records["model"])) == names
        groups = result.records.groupby("model", sort=False)["group"].unique()
        for name in names:
            parts = {"test part", "evaluation part", "other", ""}
            assert set(groups[name]) == (
                parts - {"evaluation part"} if name == "peeking" else parts
            )
            found = scores(result, model=name, group="test part")
            assert (found.groupby(level=[0, 1]).count() == 2).all()
            assert {"mse", "r2"} == set(found.index.get_level_values("score"))
        assert result.failures == []
        assert result.facts["submitted"] == "best"

    def test_a_score_is_that_of_the_model_on_the_test_part(self, own, evaluation):
        result = ln.challenge(
            "2021-gauss", own, evaluation=evaluation, models={"line": LinearRegression()}, n_seeds=1
        )
        edition = EDITIONS["2021-gauss"]
        X, y = inputs_of(edition, own, "record"), targets_of(edition, own)
        fitted, tested = fitted_and_tested(N_CURVES, 0)
        model = LinearRegression().fit(X[fitted], y[fitted])
        unseen = inputs_of(edition, evaluation, "record"), targets_of(edition, evaluation)
        for group, rows, truth in (
            ("test part", X[tested], y[tested]),
            ("evaluation part", *unseen),
        ):
            errors = np.mean(((model.predict(rows) - truth) / y[fitted].std(axis=0)) ** 2, axis=0)
            found = scores(result, model="line", group=group)["mse"]
            assert found["alpha"] == pytest.approx(errors[0], rel=1e-6)
            assert found["mean"] == pytest.approx(errors.mean(), rel=1e-6)
            assert found["sum"] == pytest.approx(errors.sum(), rel=1e-6)

    def test_further_sets_are_scored_by_the_same_fits(self, result, own, folder):
        model = ln.CurveRegressor.load(folder / "models" / "deep")
        edition = EDITIONS["2021-gauss"]
        other, truth = own.isel(curve=slice(25)), targets_of(edition, own)
        scales = truth[fitted_and_tested(N_CURVES, 0)[0]].std(axis=0)
        errors = (model.predict(inputs_of(edition, other, "window")) - truth[:25]) / scales
        found = scores(result, model="deep", group="other", seed=0)["mse", "mean"]
        assert found == pytest.approx(np.mean(errors**2), rel=1e-4)

    def test_no_row_is_fitted_and_tested(self):
        fitted, tested = fitted_and_tested(200, 1)
        assert len(tested) == 20
        assert sorted([*fitted, *tested]) == list(range(200))

    def test_2020_has_a_score_of_its_own(self):
        curves = ln.simulate("challenge2020", 40, **FAST)
        result = ln.challenge("2020", curves, models=("winners",), n_seeds=1)
        assert result.table["score_2020"].notna().all()
        assert "mse_p" in result.table

    def test_spin_scores_the_couplings_over_the_angle(self, spin):
        models = {"deep": "deep", "ridge": Ridge()}
        result = ln.challenge("spin", spin, models=models, n_seeds=2, network_parameters=TINY)
        found = result.by_angle()
        assert found["edges_deg"] == [30, 50, 70, 90, 110, 130, 150]
        assert set(found["r2"]) == {"alpha_x", "alpha_z"}
        assert {name: len(v) for name, v in found["r2"]["alpha_z"].items()} == {
            "deep": 6, "ridge": 6,
        }  # fmt: skip
        assert "angle" in result.figures
        assert "mse_theta" in result.table
        assert len(result.table) == 3
        with pytest.raises(ln.InputError, match="a submission must be of evaluation curves"):
            result.write_submission("anywhere.txt")

    def test_r2_within_a_bin_is_that_of_scikit_learn(self, spin):
        from sklearn.metrics import r2_score

        curves = spin.copy(deep=True)
        curves["challenge_theta"][:] = np.where(np.arange(N_CURVES) % 2, 40.0, 140.0)
        result = ln.challenge("spin", curves, models={"ridge": Ridge()}, n_seeds=1)
        edition = EDITIONS["spin"]
        truth = targets_of(edition, curves)[fitted_and_tested(N_CURVES, 0)[1]]
        low = truth[:, 2] == 40
        wanted = r2_score(truth[low, 1], result.arrays["predicted ridge"][low, 1])
        found = result.by_angle()["r2"]["alpha_z"]["ridge"]
        assert found[0] == pytest.approx(wanted)
        assert np.isnan(found[1:5]).all()


class TestInputs:
    """What models see of a curve."""

    def test_networks_see_re_then_im_of_the_window(self, own):
        edition = EDITIONS["2021-gauss"]
        found = inputs_of(edition, own, "window")
        assert found.shape == (N_CURVES, 400)
        np.testing.assert_array_equal(found[:, :200], own["mx"].to_numpy()[:, 210:410])
        np.testing.assert_array_equal(found[:, 200:], own["my"].to_numpy()[:, 210:410])
        whole = inputs_of(edition, own, "record+length")
        assert whole.shape == (N_CURVES, 3 * 471)
        length = np.hypot(own["mx"].to_numpy(), own["my"].to_numpy())
        np.testing.assert_array_equal(whole[:, -471:], length)

    def test_regressors_see_what_is_asked_for(self, own):
        one = ln.challenge("2021-gauss", own, models={"r": Ridge()}, n_seeds=1, inputs="window")
        other = ln.challenge("2021-gauss", own, models={"r": Ridge()}, n_seeds=1)
        assert set(one.records["features"]) == {"window"}
        assert set(other.records["features"]) == {"record"}
        assert not one.table.drop(columns="features").equals(other.table.drop(columns="features"))


class TestMagnitude:
    """Of curves of which only |M| is known, every model sees |M| in place of Re and Im."""

    def test_every_model_takes_part_and_the_result_says_what_they_saw(self, alone, result):
        assert alone.facts["part"] == "magnitude"
        assert (result.facts["part"], result.facts["left_out"]) == ("complex", {})
        assert alone.failures == []
        seen = alone.table.xs("test part")["features"].to_dict()
        by_window = dict.fromkeys(("deep", "peeking"), "magnitude window")
        assert seen == by_window | {"winners": "magnitude record"}
        asked = seeing(contenders(("baseline", "best"), "record", None), "magnitude")
        assert [one.inputs for one in asked] == ["magnitude window", "magnitude record"]
        assert set(result.table["features"]) == {"window", "record", "record+length"}
        assert np.isfinite(alone.table["mse_mean"]).all()
        # What was published was fitted to Re and Im.
        assert alone.facts["published"] == {}
        assert set(result.facts["published"]) == {"baseline", "deep"}

    def test_a_score_is_that_of_a_model_of_the_magnitude(self, own):
        curves = magnitude_of(own)
        for inputs, samples in (
            ("window", slice(210, 410)),
            ("record", slice(None)),
            ("record+length", slice(None)),
        ):
            found = ln.challenge("2021-gauss", curves, models=Ridge(), inputs=inputs, n_seeds=1)
            X = curves["magnitude"].to_numpy()[:, samples]
            y = targets_of(EDITIONS["2021-gauss"], own)
            fitted, tested = fitted_and_tested(N_CURVES, 0)
            wanted = Ridge().fit(X[fitted], y[fitted]).predict(X[tested])
            np.testing.assert_allclose(found.arrays["predicted Ridge"], wanted, rtol=1e-5)

    def test_complex_curves_are_scored_by_their_magnitude_if_asked_for(self, own):
        by_request = ln.challenge("2021-gauss", own, models=Ridge(), part="magnitude", n_seeds=1)
        alone = ln.challenge("2021-gauss", magnitude_of(own), models=Ridge(), n_seeds=1)
        pd.testing.assert_frame_equal(by_request.table, alone.table)

    def test_further_complex_sets_are_scored_by_their_magnitude(self, alone, own):
        same = ln.challenge(
            "2021-gauss", magnitude_of(own), models="winners", n_seeds=1,
            also={"complex": magnitude_of(own).isel(curve=slice(25))},
        )  # fmt: skip
        found = same.table.loc["complex", "winners"]["mse_mean"]
        assert alone.table.loc["complex", "winners"]["mse_mean"] == pytest.approx(found)

    def test_figures_show_the_magnitude(self, alone):
        assert {ax.get_ylabel() for ax in alone.figures["curves"].axes} == {"|M|"}
        titles = {ax.get_title() for ax in alone.figures["saliency_deep"].axes} - {""}
        assert titles == {"|M| (mean curve in grey)"}

    def test_the_text_says_so(self, alone, result):
        lines = challenge_lines(challenge_values(alone))
        assert lines[1].startswith("|M| only: every model sees |M|")
        assert any(line.startswith("test part, |M|, mean squared error") for line in lines)
        assert "|M|" not in "\n".join(challenge_lines(challenge_values(result)))

    def test_the_set_of_the_package_is_one_of_the_edition_spin(self):
        found = ln.challenge(
            "spin", ln.load_reference(60), models={"pipe": "winners", "mine": Ridge()}, n_seeds=1
        )
        assert found.facts["part"] == "magnitude"
        assert found.facts["targets"] == ["alpha_x", "alpha_z"]
        assert found.facts["left_out"] == {"theta": "the data have no challenge_theta"}
        assert found.by_angle() is None
        assert set(found.figures) == {"curves", "parity"}
        assert found.figures["parity"].axes[1].get_xlabel().startswith("true $\\alpha_z$")
        assert "mse_alpha_z" in found.table
        line = "left out   theta: the data have no challenge_theta"
        assert line in challenge_lines(challenge_values(found))

    def test_one_angle_for_all_curves_is_left_out_and_said(self, spin):
        curves = spin.copy(deep=True)
        curves["challenge_theta"][:] = 60.0
        found = ln.challenge("spin", curves, models=Ridge(), n_seeds=1)
        assert found.facts["left_out"] == {"theta": "challenge_theta is 60 for all curves"}
        assert "mse_theta" not in found.table
        assert found.by_angle() is None


class TestResult:
    """Table, figures, files."""

    def test_the_table_is_the_mean_over_seeds(self, result):
        row = result.table.loc["test part", "deep"]
        found = scores(result, model="deep", group="test part")
        assert row["mse_mean"] == pytest.approx(found["mse", "mean"].mean())
        assert row["r2_d"] == pytest.approx(found["r2", "d"].mean())

    def test_a_saved_result_comes_back_the_same(self, result, tmp_path):
        result.save(tmp_path / "result")
        loaded = ln.ChallengeResult.load(tmp_path / "result")
        pd.testing.assert_frame_equal(loaded.table, result.table)
        assert loaded.facts == result.facts
        assert list(loaded.figures) == ["curves", "parity", "saliency_deep", "saliency_best"]
        path = tmp_path / "sent.txt"
        loaded.write_submission(path)
        sent = check_submission(path, "2021-gauss", N_EVALUATION)
        np.testing.assert_allclose(sent[:, 1], result.arrays["submission"][:, 1], rtol=1e-6)

    def test_parity_shows_every_model_but_the_peeking_one(self, result):
        axes = result.figures["parity"].axes
        rows = [ax.get_ylabel().split("\n")[0] for ax in axes if "\n" in ax.get_ylabel()]
        assert rows == ["course baseline", "public network", "winners of 2020", "ours"]

    def test_saved_networks_submit_what_the_result_says(self, result, evaluation, folder):
        assert {path.name for path in (folder / "models").iterdir()} == {"baseline", "deep", "best"}
        model = ln.CurveRegressor.load(folder / "models" / "best")
        X = inputs_of(EDITIONS["2021-gauss"], evaluation, model.metadata_["inputs"])
        np.testing.assert_allclose(model.predict(X), result.arrays["submission"], rtol=1e-5)
        assert model.metadata_["edition"] == "2021-gauss"
        assert model.metadata_["data_sha256"] == result.facts["data_sha256"]

    def test_a_submission_is_in_physical_units_and_within_bounds(self, result, tmp_path):
        result.write_submission(tmp_path / "sent.txt")
        lowest = np.array([0.0, 1e-3, 0.0])
        np.testing.assert_allclose(
            check_submission(tmp_path / "sent.txt", "2021-gauss", N_EVALUATION),
            np.maximum(result.arrays["submission"], lowest),
            rtol=1e-5,
        )


class TestSteps:
    """Fits are kept, each as soon as it is done."""

    def test_an_interrupted_call_continues_and_dropped_networks_go(self, own, tmp_path):
        fits = tmp_path / "fits"
        networks = {"network_parameters": TINY, "n_seeds": 1, "folder": tmp_path}
        first = ln.challenge("2021-gauss", own, models=("baseline", "winners"), **networks)
        kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "steps").glob("*.json")}
        assert len(kept) == 2

        class Interrupting(Failing):
            def fit(self, X, y):
                if not fits.exists():
                    fits.touch()
                    raise KeyboardInterrupt
                return super().fit(X, y)

        models = {"baseline": "baseline", "mine": Interrupting("mean")}
        with pytest.raises(KeyboardInterrupt):
            ln.challenge("2021-gauss", own, models=models, **networks)
        second = ln.challenge("2021-gauss", own, models=models, **networks)
        assert {path: path.stat().st_mtime_ns for path in kept} == kept
        for result in (first, second):
            assert (
                scores(result, model="baseline")["seconds", ""]
                == scores(first, model="baseline")["seconds", ""]
            )
        assert [path.name for path in (tmp_path / "models").iterdir()] == ["baseline"]
        ln.challenge("2021-gauss", own, models=("winners",), **networks)
        assert not (tmp_path / "models").exists()

    def test_other_parameters_are_another_fit(self, own, tmp_path):
        facts = {"n_seeds": 1, "folder": tmp_path}
        for alpha in (1.0, 2.0):
            ln.challenge("2021-gauss", own, models={"ridge": Ridge(alpha)}, **facts)
        assert len(list((tmp_path / "steps").iterdir())) == 2

    @pytest.mark.slow  # at the size of the published set
    def test_simulated_curves_are_kept_in_the_folder(self, tmp_path):
        result = ln.challenge(
            "2021-gauss", models=("winners",), n_seeds=1, folder=tmp_path, n_curves=50,
            n_evaluation=0,
        )  # fmt: skip
        stored = ln.open_echoes(tmp_path / "curves.zarr")
        assert stored.sizes["curve"] == result.facts["n_curves"] == 50
        assert result.facts["source"] == str(tmp_path / "curves.zarr")


class TestForeignRegressors:
    """Regressors of any origin are scored or named; the others' results stay."""

    @pytest.mark.parametrize(
        ("way", "n_failed", "reason"),
        [
            ("raises", 1, "RuntimeError: no convergence after 3 steps"),
            ("nan", 2, "predict returned 18 values that are NaN or infinite"),
            ("flat", 2, r"predict must return shape (n_curves, 3) with n_curves = 6"),
        ],
    )
    def test_what_fails_is_named_and_not_kept(self, own, way, n_failed, reason, tmp_path):
        models = {"bad": Failing(way), "pipe": make_pipeline(StandardScaler(), Ridge())}
        result = ln.challenge("2021-gauss", own, models=models, n_seeds=2, folder=tmp_path)
        assert [one["model"] for one in result.failures] == ["bad"] * n_failed
        assert all(reason in one["reason"] for one in result.failures)
        assert len(scores(result, model="pipe", group="test part")["mse", "mean"]) == 2
        assert len(scores(result, model="bad", group="test part")) in (0, 8)
        assert len(list((tmp_path / "steps").iterdir())) == 4 - n_failed
        assert result.facts["submitted"] == "pipe"

    def test_if_all_fail_the_first_reason_is_given(self, own):
        with pytest.raises(ln.InputError, match=r"every fit failed, the first of bad: .*NaN"):
            ln.challenge("2021-gauss", own, models={"bad": Failing("nan")}, n_seeds=1)

    def test_seeds_reach_the_regressor(self, own):
        result = ln.challenge("2021-gauss", own, models={"bad": Failing()}, n_seeds=4)
        assert [one["seed"] for one in result.failures] == [1, 3]

    @pytest.mark.parametrize(
        ("models", "message"),
        [
            ({"deep": Ridge()}, "names of models must be"),
            ({"peeking": Ridge()}, "names of models must be"),
            ({"a/b": Ridge()}, "names of models must be"),
            ({"mine": Ridge}, r"with fit and predict, but mine is the class Ridge. Give Ridge\(\)"),
            ({"mine": 3}, "with fit and predict, but mine is 3"),
            ({}, "models must name at least one, but is empty"),
            (("deep", "deep"), "each one once, but is deep deep"),
            ("worst", "models must be one of baseline, deep"),
            (("worst",), "models must be one of baseline, deep"),
        ],
    )
    def test_what_is_no_model_is_refused(self, own, models, message):
        with pytest.raises(ln.InputError, match=message):
            ln.challenge("2021-gauss", own, models=models)


class TestRefusals:
    """Data and settings that cannot be used are named."""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"edition": "2019"}, "edition must be one of 2020, 2021-gauss, 2021-rkky, spin"),
            ({"n_curves": 10}, "n_curves must be a whole number of at least 50"),
            ({"n_evaluation": -1}, "n_evaluation must be"),
            ({"line_draw": "cold"}, "line_draw must be one of independent"),
            ({"n_seeds": 0}, "n_seeds must be"),
            ({"inputs": "all"}, "inputs must be one of window, record"),
            ({"part": "real"}, "part must be one of complex, magnitude"),
            ({"network_parameters": {"epochs": 3}}, "network_parameters must be one of"),
            ({"network_parameters": {"max_epochs": 0}}, "max_epochs must be a whole number"),
        ],
    )
    def test_settings(self, options, message):
        with pytest.raises(ln.InputError, match=message):
            ln.challenge(**{"edition": "2020"} | options)

    def test_numbers_of_curves_beside_data(self, own):
        with pytest.raises(ln.InputError, match="n_curves must be left out where the data are"):
            ln.challenge("2021-gauss", own, n_curves=60)

    def test_evaluation_curves_without_data(self, evaluation):
        with pytest.raises(ln.InputError, match="evaluation must be left out"):
            ln.challenge("2021-gauss", evaluation=evaluation)

    def test_data_of_another_edition(self, own, spin):
        with pytest.raises(ln.InputError, match="dataset must hold records of at least 1456"):
            ln.challenge("spin", own)
        with pytest.raises(ln.InputError, match="data of the edition 2021-gauss must have"):
            ln.challenge("2021-gauss", spin)
        with pytest.raises(ln.InputError, match=r"also\['o'\] must hold records of at least 1456"):
            ln.challenge("spin", spin, also={"o": own})

    def test_a_target_that_does_not_vary(self, own):
        curves = own.copy(deep=True)
        curves["challenge_d"][:] = 6.5
        with pytest.raises(ln.InputError, match=r"every target must vary, but d is 6.5 for all 60"):
            ln.challenge("2021-gauss", curves)

    def test_too_few_curves(self, own):
        with pytest.raises(ln.InputError, match=r"at least 20 curves, .* but holds 19"):
            ln.challenge("2021-gauss", own.isel(curve=slice(19)))

    def test_a_magnitude_where_both_parts_are_to_be_seen(self, own):
        alone = magnitude_of(own)
        for options, name in (
            ({"dataset": alone, "part": "complex"}, "dataset"),
            ({"dataset": own, "evaluation": alone}, "evaluation"),
            ({"dataset": own, "also": {"other": alone}}, r"also\['other'\]"),
        ):
            with pytest.raises(ln.InputError, match=f"{name} must hold both mx and my, because"):
                ln.challenge("2021-gauss", **options)

    def test_names_of_parts_are_reserved(self, own):
        with pytest.raises(ln.InputError, match="also must not use names of parts"):
            ln.challenge("2021-gauss", own, also={"test part": own})

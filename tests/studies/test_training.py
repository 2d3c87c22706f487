"""The study of a training: model, history, embedding, figures, continuation."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.errors import InputError
from latent_nmr.studies.training import CHECKPOINT_FILE, TrainingResult, train

SMALL = {"hidden_layer_sizes": (8,), "max_epochs": 3, "min_epoch_steps": 1, "random_state": 0}


@pytest.fixture(scope="module")
def echoes():
    return ln.simulate("paper", 40, n_edge=8, step=4, seed=1)


@pytest.fixture(scope="module")
def result(echoes):
    return train(echoes, model=ln.BetaVAE(**SMALL))


def weights_of(result):
    return result.model.weights_


class TestResult:
    """What a training returns."""

    def test_the_model_is_that_of_the_estimator_alone(self, echoes, result):
        alone = ln.BetaVAE(**SMALL).fit(ln.features(echoes))
        for name, values in alone.weights_.items():
            np.testing.assert_array_equal(weights_of(result)[name], values)

    def test_the_model_that_is_given_is_not_changed(self, echoes):
        model = ln.BetaVAE(**SMALL, beta=3.0)
        fitted = train(echoes, model=model).model
        assert fitted is not model
        assert not hasattr(model, "weights_")
        assert fitted.get_params() == model.get_params()

    def test_records_hold_every_loss_of_the_table(self, result):
        table, records = result.table, result.records
        assert list(table["epoch"]) == [1, 2, 3]
        for group, prefix in (("training", ""), ("validation", "validation_")):
            found = records.query(f"group == '{group}' and score == 'kl' and features == 'LA2'")
            np.testing.assert_array_equal(found["value"], table[f"{prefix}kl_LA2"])
            found = records.query(f"group == '{group}' and score == 'reconstruction'")
            np.testing.assert_array_equal(found["value"], table[f"{prefix}reconstruction"])

    def test_the_embedding_is_that_of_the_model(self, echoes, result):
        embedding = result.embedding
        np.testing.assert_array_equal(
            embedding[["LA1", "LA2"]], result.model.transform(ln.features(echoes))
        )
        held_out = np.flatnonzero(embedding["split"] == "validation")
        np.testing.assert_array_equal(held_out, result.model.validation_rows_)

    def test_a_saved_result_is_a_model_folder_and_draws_the_same(self, result, tmp_path):
        result.save(tmp_path / "r")
        loaded = TrainingResult.load(tmp_path / "r")
        assert ln.BetaVAE.load(tmp_path / "r").metadata_["window"] == "echo"
        assert loaded.facts == result.facts
        assert list(loaded.figures) == list(result.figures)
        one, other = (r.figures["reconstructions"].axes[0] for r in (result, loaded))
        for line, same in zip(one.lines, other.lines, strict=True):
            np.testing.assert_array_equal(line.get_xydata(), same.get_xydata())
        loaded.save(tmp_path / "r", overwrite=True)

    @pytest.mark.parametrize("n_components", [1, 3])
    def test_every_axis_has_a_traversal_and_two_a_map(self, echoes, n_components):
        figures = train(echoes, model=ln.BetaVAE(**SMALL, n_components=n_components)).figures
        walks = [f"traversal_LA{axis}" for axis in range(1, n_components + 1)]
        maps = ["latent_map"] if n_components > 1 else []
        assert list(figures) == [*maps, *walks, "loss_history", "reconstructions"]

    def test_without_labels_the_map_has_one_colour_and_no_axis_a_name(self, echoes):
        bare = echoes.drop_vars([name for name in echoes.coords if name != "time"])
        result = train(bare, model=ln.BetaVAE(**SMALL))
        assert len(result.figures["latent_map"].axes) == 1
        assert {axis["problem"] for axis in result.facts["named_axes"]} != {""}


class TestFolder:
    """A fit that was killed."""

    def test_it_continues_to_the_same_weights(self, echoes, tmp_path):
        settings = SMALL | {"max_epochs": 6, "patience": 6}
        whole = train(echoes, model=ln.BetaVAE(**settings))

        # Progress is also kept when a fit is interrupted.
        def interrupt(epoch):
            if epoch.epoch == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(echoes, model=ln.BetaVAE(**settings), folder=tmp_path, on_epoch=interrupt)
        assert (tmp_path / CHECKPOINT_FILE).is_file()
        epochs = []
        again = train(echoes, model=ln.BetaVAE(**settings), folder=tmp_path, on_epoch=epochs.append)
        assert epochs[0].epoch > 1
        for name, values in weights_of(whole).items():
            np.testing.assert_array_equal(weights_of(again)[name], values)

    def test_progress_on_other_data_is_not_taken_up(self, echoes, tmp_path):
        train(echoes, model=ln.BetaVAE(**SMALL), folder=tmp_path)
        epochs = []
        other = echoes.isel(curve=slice(None, None, -1))
        train(other, model=ln.BetaVAE(**SMALL), folder=tmp_path, on_epoch=epochs.append)
        assert epochs[0].epoch == 1


class TestRefusals:
    """Bad arguments name their parameter and the cure."""

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"model": "vae"}, r"model must be a BetaVAE, but is a str\. Pass its settings"),
            ({"window": "ehco"}, r"window must be one of"),
            ({"span": 0}, r"span must be > 0"),
            ({"n_steps": 1}, r"n_steps must be a whole number of at least 2"),
        ],
    )
    def test_they_are_refused(self, echoes, settings, words):
        with pytest.raises(InputError, match=words):
            train(echoes, **settings)

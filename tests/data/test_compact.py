"""|M| and labels in one small file."""

import json
import shutil
import zipfile

import numpy as np
import pytest
import xarray as xr

from latent_nmr.data._variables import ALL_LABELS
from latent_nmr.data.challenge_files import save_challenge
from latent_nmr.data.compact import STEP, load_compact, save_compact
from latent_nmr.data.echoes import magnitude
from latent_nmr.data.io import open_echoes
from latent_nmr.data.spectrometer import add_noise, rotate_phase
from latent_nmr.data.store import simulate
from latent_nmr.data.windows import features
from latent_nmr.errors import InputError


@pytest.fixture(scope="module")
def echoes():
    return simulate("paper", 6, n_edge=12, seed=5, step=4)


@pytest.fixture(scope="module")
def saved(echoes, tmp_path_factory):
    path = tmp_path_factory.mktemp("compact") / "echoes.npz"
    save_compact(echoes, path)
    return path


def rewritten(path, target, change):
    """Copy a compact set, changing its header by `change`."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "header.json":
                content = json.dumps(change(json.loads(content))).encode()
            new.writestr(name, content)
    return target


class TestRoundTrip:
    """What comes back."""

    def test_every_value_is_within_half_a_step(self, echoes, saved):
        difference = np.abs(magnitude(load_compact(saved)) - magnitude(echoes))
        # float32 of numbers up to 1/2 adds 2^-26 twice: before and after.
        assert difference.max() <= STEP / 2 + 2 * 2.0**-26
        assert difference.max() > 0

    def test_labels_times_curves_and_attributes_come_back_equal(self, echoes, saved):
        back = load_compact(saved)
        for name in (*(n for n in ALL_LABELS if n in echoes.coords), "time", "curve"):
            np.testing.assert_array_equal(back[name].to_numpy(), echoes[name].to_numpy())
        assert back.attrs == echoes.attrs

    def test_a_second_round_changes_nothing(self, saved, tmp_path):
        once = load_compact(saved)
        save_compact(once, tmp_path / "again.npz")
        xr.testing.assert_identical(load_compact(tmp_path / "again.npz"), once)

    def test_equal_sets_give_equal_files(self, echoes, saved, tmp_path):
        save_compact(echoes.copy(deep=True), tmp_path / "same.npz")
        assert (tmp_path / "same.npz").read_bytes() == saved.read_bytes()

    def test_the_highest_and_the_lowest_value_fit(self, echoes, tmp_path):
        extreme = echoes.copy(deep=True)
        extreme["my"][:, ::2], extreme["mx"][:] = 0.5, 0.0
        extreme["my"][:, 1::2] = 0.0
        save_compact(extreme, tmp_path / "extreme.npz")
        np.testing.assert_array_equal(
            magnitude(load_compact(tmp_path / "extreme.npz")), magnitude(extreme)
        )

    def test_a_model_sees_the_same_features_up_to_the_rounding(self, echoes, saved):
        # Divided by |M(0)| = 1/2.
        np.testing.assert_allclose(
            features(open_echoes(saved)), features(echoes), atol=STEP + 4 * 2.0**-25
        )

    def test_features_do_not_depend_on_the_order_of_dimensions(self, echoes):
        np.testing.assert_array_equal(features(echoes.transpose("time", "curve")), features(echoes))


class TestRefusals:
    """What cannot be kept or read."""

    @pytest.mark.parametrize(
        "use",
        [
            lambda dataset, folder: save_challenge(dataset, folder, "2021-gauss"),
            lambda dataset, _: rotate_phase(dataset, 0.1),
            lambda dataset, _: add_noise(dataset, 10, seed=0),
        ],
        ids=["challenge files", "receiver phase", "noise"],
    )
    def test_what_needs_both_components_says_so(self, saved, tmp_path, use):
        with pytest.raises(InputError, match="both mx and my, but holds magnitude only"):
            use(load_compact(saved), tmp_path)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("kept", [0, 100, -200])
    def test_a_truncated_file(self, saved, tmp_path, kept):
        broken = tmp_path / "broken.npz"
        broken.write_bytes(saved.read_bytes()[:kept])
        with pytest.raises(InputError, match=r"broken\.npz cannot be read"):
            load_compact(broken)

    def test_a_flipped_bit(self, saved, tmp_path):
        content = bytearray(saved.read_bytes())
        content[len(content) // 3] ^= 1
        (tmp_path / "flipped.npz").write_bytes(content)
        with pytest.raises(InputError, match=r"flipped\.npz cannot be read"):
            load_compact(tmp_path / "flipped.npz")

    def test_another_format(self, saved, tmp_path):
        other = rewritten(saved, tmp_path / "other.npz", lambda header: header | {"version": 9})
        with pytest.raises(InputError, match=r"version 1 or 2, but .*other\.npz says .*version 9"):
            load_compact(other)

    def test_a_pickle_inside_is_not_opened(self, saved, tmp_path):
        hostile = shutil.copy(saved, tmp_path / "hostile.npz")
        with zipfile.ZipFile(hostile, "a") as archive, archive.open("W2.npy", "w") as member:
            np.lib.format.write_array(member, np.array([print], object), allow_pickle=True)
        with pytest.raises(InputError, match=r"hostile\.npz cannot be read.*allow_pickle"):
            load_compact(hostile)


def test_curves_without_labels_come_back_without_labels(echoes, tmp_path):
    bare = echoes.drop_vars([name for name in ALL_LABELS if name in echoes.variables])
    save_compact(bare, tmp_path / "bare.npz")
    loaded = load_compact(tmp_path / "bare.npz")
    assert not set(ALL_LABELS) & set(loaded.variables)
    np.testing.assert_allclose(magnitude(loaded), magnitude(echoes), atol=STEP / 2)

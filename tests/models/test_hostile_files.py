"""Model folders made by others: loading runs nothing, takes little, and either works or says no."""

import hashlib
import json
import os
import pickle
import re
import shutil
import threading
import time

import numpy as np
import pytest
import safetensors.numpy

from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.persistence import MAX_CARD_BYTES, ModelFileError

WEIGHTS, CARD = "weights.safetensors", "model.json"
STRANGE_VALUES = [
    None, True, 0, -1, 3, 2.5, 10**400, float("nan"), float("inf"), "", "1", "x" * 1000,
    [], [[]], ["x"], [None], [-1], [10**30], [[1], [1, 2]], {}, {"x": 1},
]  # fmt: skip


@pytest.fixture(scope="module")
def whole(fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "model"
    fitted.save(path, metadata={"window": "echo"})
    return path


@pytest.fixture
def folder(whole, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(whole, tmp_path / "model")


def refuse(folder, reason):
    with pytest.raises(ModelFileError, match=rf"but {re.escape(str(folder))} .*{reason}"):
        BetaVAE.load(folder)


def is_loaded(folder, curves):
    """Whether the folder loads; what loads must give finite numbers."""
    try:
        model = BetaVAE.load(folder)
    except ModelFileError as error:
        if str(folder) in str(error):
            return False
        raise
    assert np.isfinite(model.transform(curves[:3])).all()
    assert np.isfinite(model.inverse_transform(np.zeros((1, 2)))).all()
    model.get_params()
    repr(model)
    return True


def leaves(value, path=()):
    """Path of every entry in nested dicts, and of the first one of every list."""
    yield path
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from leaves(entry, (*path, key))
    elif isinstance(value, list) and value:
        yield from leaves(value[0], (*path, 0))


class TestDamage:
    """Bits, bytes and entries that changed."""

    @pytest.mark.parametrize("name", [WEIGHTS, CARD])
    def test_no_truncated_file_loads(self, folder, name):
        raw = (folder / name).read_bytes()
        rng = np.random.default_rng(0)
        # The card ends with a line break that it can lose.
        for length in (0, 1, 7, 8, len(raw) - 2, *rng.integers(0, len(raw) - 2, 20).tolist()):
            (folder / name).write_bytes(raw[:length])
            refuse(folder, re.escape(name))

    def test_no_changed_byte_of_the_weights_loads(self, folder):
        raw = (folder / WEIGHTS).read_bytes()
        rng = np.random.default_rng(1)
        for place in (0, 8, len(raw) - 1, *rng.integers(0, len(raw), 30).tolist()):
            damaged = bytearray(raw)
            damaged[place] ^= int(rng.integers(1, 256))
            (folder / WEIGHTS).write_bytes(damaged)
            refuse(folder, "differs from its checksum")

    def test_a_changed_byte_of_the_card_is_refused_or_harmless(self, folder, curves):
        raw = (folder / CARD).read_bytes()
        rng = np.random.default_rng(2)
        outcomes = set()
        for number in range(100):
            damaged = bytearray(raw)
            # Digits in place of digits are harmless; of all bytes hardly any is.
            value = int(rng.integers(256)) if number % 2 else int(rng.choice(list(b"0123456789")))
            damaged[int(rng.integers(len(raw)))] = value
            (folder / CARD).write_bytes(damaged)
            outcomes.add(is_loaded(folder, curves))
        assert outcomes == {True, False}

    def test_any_entry_of_the_card_may_be_strange(self, folder, curves):
        text = (folder / CARD).read_text("utf-8")
        rng = np.random.default_rng(3)
        outcomes = set()
        for path in list(leaves(json.loads(text)))[1:]:
            for number in rng.choice(len(STRANGE_VALUES), 3, replace=False):
                card = json.loads(text)
                *above, last = path
                place = card
                for key in above:
                    place = place[key]
                place[last] = STRANGE_VALUES[number]
                (folder / CARD).write_text(json.dumps(card), "utf-8")
                outcomes.add(is_loaded(folder, curves))
        assert outcomes == {True, False}

    def test_no_required_entry_may_be_missing(self, folder):
        text = (folder / CARD).read_text("utf-8")
        card = json.loads(text)
        required = [(key,) for key in card]
        required += [("fitted", key) for key in card["fitted"]]
        for *above, last in required:
            card = json.loads(text)
            place = card["fitted"] if above else card
            del place[last]
            (folder / CARD).write_text(json.dumps(card), "utf-8")
            refuse(folder, re.escape(last) if above or last[:6] != "format" else "says format")

    @pytest.mark.parametrize("name", ["kl", "axis_variances"])
    @pytest.mark.parametrize(
        "values",
        [[1.0, None], [True, 1.0], [10**400, 1.0], ["1", 1.0], [1.0], [1.0, 0.5, 0.2], 1.0],
    )
    def test_what_the_axes_do_must_be_one_finite_number_each(self, folder, name, values):
        card = json.loads((folder / CARD).read_text("utf-8"))
        card["fitted"][name] = values
        (folder / CARD).write_text(json.dumps(card), "utf-8")
        refuse(folder, "(expected 2|a list of) finite numbers")


class TestForeignFiles:
    """Something else under the names of a model."""

    @pytest.fixture
    def bomb(self, tmp_path):
        """A pickle that leaves a trace when it is read as one."""

        class Bomb:
            def __reduce__(self):
                return os.mkdir, (str(tmp_path / "trace"),)

        # A pickle ends where it says; zeros make it as long as weights.
        return pickle.dumps(Bomb()) + bytes(100_000)

    def test_a_pickle_for_weights_is_not_run_even_under_its_own_checksum(
        self, folder, bomb, tmp_path
    ):
        (folder / WEIGHTS).write_bytes(bomb)
        refuse(folder, "differs from its checksum")
        card = json.loads((folder / CARD).read_text("utf-8"))
        card["weights_sha256"] = hashlib.sha256(bomb).hexdigest()
        (folder / CARD).write_text(json.dumps(card), "utf-8")
        refuse(folder, f"unreadable {WEIGHTS}")
        assert not (tmp_path / "trace").exists()

    def test_a_pickle_for_the_card_is_not_run(self, folder, bomb, tmp_path):
        (folder / CARD).write_bytes(bomb)
        refuse(folder, f"unreadable {CARD}")
        assert not (tmp_path / "trace").exists()

    @pytest.mark.parametrize("text", ["[]", "null", '"model"', "{}", '{"format": "other"}'])
    def test_json_that_is_no_card(self, folder, text):
        (folder / CARD).write_text(text)
        refuse(folder, "says format and version")

    def test_a_file_in_place_of_the_folder(self, tmp_path):
        (tmp_path / "model").write_text("")
        refuse(tmp_path / "model", f"has no {CARD}")

    @pytest.mark.parametrize(
        ("dtype", "reason"),
        [
            (np.float64, "do not fit its layer sizes"),
            (np.int32, "do not fit its layer sizes"),
            (np.int16, "do not fit its layer sizes"),
            (np.int8, "smaller than its layers need"),
        ],
    )
    def test_weights_of_another_type_under_a_good_checksum(self, folder, fitted, dtype, reason):
        weights = {name: array.astype(dtype) for name, array in fitted.weights_.items()}
        raw = safetensors.numpy.save(weights)
        (folder / WEIGHTS).write_bytes(raw)
        card = json.loads((folder / CARD).read_text("utf-8"))
        card["weights_sha256"] = hashlib.sha256(raw).hexdigest()
        (folder / CARD).write_text(json.dumps(card), "utf-8")
        refuse(folder, reason)


@pytest.mark.parametrize("name", [WEIGHTS, CARD])
class TestNoFiles:
    """Under a file's name lies something that is no file; nothing is waited for."""

    @pytest.fixture
    def original(self, folder, name):
        return (folder / name).rename(folder.parent / "original")

    @pytest.mark.usefixtures("original")
    def test_a_named_pipe_is_refused_at_once(self, folder, name):
        os.mkfifo(folder / name)
        refusals = []

        def load():
            try:
                BetaVAE.load(folder)
            except ModelFileError as error:
                refusals.append(str(error))

        # A reader that waits for a writer would wait for ever: it must not hold up the tests.
        reader = threading.Thread(target=load, daemon=True)
        reader.start()
        reader.join(timeout=60)
        assert not reader.is_alive()
        (refusal,) = refusals
        assert f"a model folder must hold a whole {WEIGHTS}" in refusal
        assert f"has a {name} that is not a regular file" in refusal

    @pytest.mark.usefixtures("original")
    def test_a_folder_is_refused(self, folder, name):
        (folder / name).mkdir()
        refuse(folder, f"has a {name} that is not a regular file")

    @pytest.mark.usefixtures("original")
    def test_a_device_is_refused(self, folder, name):
        (folder / name).symlink_to("/dev/zero")
        refuse(folder, f"has a {name} that is not a regular file")

    @pytest.mark.usefixtures("original")
    def test_a_link_in_a_circle_is_refused(self, folder, name):
        (folder / name).symlink_to(folder / name)
        refuse(folder, f"has a {name} that cannot be read")

    @pytest.mark.usefixtures("original")
    def test_a_link_to_nothing_is_refused(self, folder, name):
        (folder / name).symlink_to(folder / "nothing")
        refuse(folder, f"has no {name}")

    def test_a_link_to_a_whole_file_is_followed(self, folder, name, original, curves):
        # Shared stores of large files put links in the folders that use them.
        (folder / name).symlink_to(original)
        assert is_loaded(folder, curves)

    def test_a_file_that_may_not_be_read_is_refused(self, folder, name):
        if os.geteuid() == 0:
            pytest.skip("root may read anything")
        (folder / name).chmod(0)
        refuse(folder, f"has a {name} that cannot be read")


class TestPaths:
    """The path itself."""

    @pytest.mark.parametrize("name", ["nothing", "a\0b", "x" * 300])
    def test_no_folder(self, tmp_path, name):
        with pytest.raises(ModelFileError, match="does not exist"):
            BetaVAE.load(tmp_path / name)

    def test_links_in_a_circle(self, tmp_path):
        (tmp_path / "model").symlink_to(tmp_path / "model")
        refuse(tmp_path / "model", "does not exist")

    def test_a_folder_that_may_not_be_read(self, folder, curves):
        assert is_loaded(folder, curves)  # and all modules are, while they may be read
        folder.chmod(0)
        is_root = os.geteuid() == 0
        if is_root:  # who may read anything
            os.seteuid(65534)
        try:
            refuse(folder, "cannot be read")
        finally:
            if is_root:
                os.seteuid(0)
            folder.chmod(0o700)

    def test_a_link_to_a_model_is_followed_and_stays_a_link_when_saved(
        self, folder, fitted, tmp_path
    ):
        (tmp_path / "link").symlink_to(folder)
        fitted.save(tmp_path / "link", metadata={"new": 1})
        assert (tmp_path / "link").is_symlink()
        assert BetaVAE.load(folder).metadata_ == {"new": 1}

    def test_loading_writes_nothing(self, folder):
        before = sorted(path.name for path in folder.parent.iterdir())
        BetaVAE.load(folder)
        with pytest.raises(ModelFileError):
            BetaVAE.load(folder.parent / "other")
        assert sorted(path.name for path in folder.parent.iterdir()) == before


class TestSizes:
    """Files and layers too large to be ours are refused before they are read or made."""

    @pytest.mark.parametrize(
        ("name", "reason"),
        [(WEIGHTS, f"{WEIGHTS} of .* bytes, more than"), (CARD, f"{CARD} of .* bytes")],
    )
    def test_a_file_of_a_terabyte(self, folder, name, reason):
        # Sparse: it takes no room on the disk.
        os.truncate(folder / name, 2**40)
        refuse(folder, reason)

    def test_a_card_of_the_largest_size_is_read(self, folder, curves):
        text = (folder / CARD).read_text("utf-8")
        (folder / CARD).write_text(text + " " * (MAX_CARD_BYTES - len(text.encode())), "utf-8")
        assert is_loaded(folder, curves)

    @pytest.mark.parametrize(
        "sizes",
        [
            {"n_features": 10**9},
            {"hidden_layer_sizes": [10**5, 10**5]},
            {"hidden_layer_sizes": [1] * 10**5},
            {"n_components": 10**9},
        ],
    )
    def test_layers_of_absurd_size_cost_no_time(self, folder, sizes):
        card = json.loads((folder / CARD).read_text("utf-8"))
        (folder / CARD).write_text(json.dumps(card | sizes), "utf-8")
        start = time.perf_counter()
        refuse(folder, f"damaged {CARD}")
        # Tracing layers this many or this large would take seconds or all memory.
        assert time.perf_counter() - start < 1

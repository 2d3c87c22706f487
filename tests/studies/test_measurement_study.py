"""`ln.measure`: files and data sets, settings, and those that cannot be used."""

import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr.errors import EchoFileError, InputError
from latent_nmr.shipped import shipped_path
from latent_nmr.studies.measurement import measurement_digest
from latent_nmr.studies.measurement._options import MeasurementOptions
from latent_nmr.studies.measurement._reference import REFERENCE_FILE, Reference
from tests.data.measured.writers import WRITERS, write_npz

DT, TAU = 1 / (2 * np.pi), 628 / (2 * np.pi)
SNR = 20.0


def simulated_record(n_records=1, *, dwell=DT, seed=0, rank=0.5):
    """Complex records with simulated echoes in noise, their top at 80 µs, and the first one's W.

    `rank` is the place of the first among the reference curves ordered by W, from 0 to 1.
    """
    rng = np.random.default_rng(seed)
    reference = Reference.load(shipped_path("models", "measured-echo") / REFERENCE_FILE)
    order = np.argsort(reference.labels["W"])
    chosen = order[int(rank * (len(order) - n_records)) :][:n_records]
    time = dwell * np.arange(round(160 / dwell))
    own_time = 80 + DT * (np.arange(400) - 200)
    rows = np.stack([np.interp(time, own_time, reference.rows[row], 0, 0) for row in chosen])
    height = rows.max(axis=1, keepdims=True)
    noise = rng.standard_normal((2, *rows.shape)) * height / SNR
    signal = 1000 * (rows * np.exp(0.7j + 0.02j * time) + noise[0] + 1j * noise[1])
    return signal, float(reference.labels["W"][chosen[0]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One good file, one with three records, one of noise, one that is cut short."""
    folder = tmp_path_factory.mktemp("files")
    write_npz(folder / "good.npz", simulated_record()[0], DT)
    noise = np.random.default_rng(1).standard_normal((1000, 2)) @ [1, 1j]
    write_npz(folder / "noise.npz", noise, DT)
    content = (folder / "good.npz").read_bytes()
    (folder / "cut.npz").write_bytes(content[: len(content) // 2])
    return folder


@pytest.fixture(scope="module")
def measured(folder):
    """The result of all of them, and of one that is not there."""
    names = ("good.npz", "cut.npz", "noise.npz", "absent.npz")
    return ln.measure([folder / name for name in names], pulse_separation=TAU)


class TestFiles:
    """Each by itself."""

    def test_files_that_cannot_be_used_stop_no_other(self, measured, folder):
        assert [bool(file.refused) for file in measured.files] == [False, True, False, True]
        assert measured.table["verdict"].tolist() == ["INSIDE", "NO ECHO"]
        assert [one["path"] for one in measured.refused] == [
            str(folder / "cut.npz"), str(folder / "absent.npz"),
        ]  # fmt: skip
        for one in measured.refused:
            assert one["reason"]
            assert one["cure"]

    def test_a_file_alone_that_cannot_be_used_raises(self, folder):
        with pytest.raises(EchoFileError, match=r"cut\.npz"):
            ln.measure(folder / "cut.npz", pulse_separation=TAU)

    def test_the_log_and_the_facts_of_a_file_are_kept(self, measured):
        file = measured.files[0]
        names = [step["name"] for step in file.steps]
        assert names[0] == "read"
        assert names.index("echo") < names.index("phase") < names.index("grid")
        assert file.facts["format"] == "npz"
        assert file.facts["time_factor"] == pytest.approx(1)

    def test_a_result_is_saved_and_loaded(self, measured, tmp_path):
        measured.save(tmp_path / "r.json")
        back = type(measured).load(tmp_path / "r.json")
        assert back.as_json() == measured.as_json()

    def test_a_data_set_gives_what_its_file_gives(self, measured, folder):
        opened = ln.open_measurement(folder / "good.npz")
        found = ln.measure(opened, pulse_separation=TAU)
        assert found.as_json()["files"][0]["records"] == measured.as_json()["files"][0]["records"]
        assert found.files[0].path == str(folder / "good.npz")

    def test_nothing_is_refused(self):
        with pytest.raises(InputError, match="sequence of them that is not empty, but is"):
            ln.measure([])


class TestPulseSeparation:
    """τ is asked for, of each file, and frequencies are those of the sample."""

    def test_without_it_the_file_is_refused_with_the_cure(self, folder):
        found = ln.measure([folder / "good.npz", folder / "noise.npz"])
        assert len(found.refused) == 2
        assert found.refused[0]["reason"].startswith("pulse_separation must be given")
        assert "pulse_separation=100" in found.refused[0]["cure"]

    def test_a_file_that_says_it_needs_no_other(self, folder, tmp_path, measured):
        record, _ = simulated_record()
        write_npz(tmp_path / "own.npz", record, DT, pulse_separation=TAU)
        found = ln.measure([tmp_path / "own.npz", folder / "good.npz"])
        assert [bool(file.refused) for file in found.files] == [False, True]
        assert found.table["W"][0] == pytest.approx(measured.table["W"][0])

    @pytest.mark.slow
    def test_another_than_the_files_own_is_said(self, tmp_path):
        write_npz(tmp_path / "own.npz", simulated_record()[0], DT, pulse_separation=TAU)
        found = ln.measure(tmp_path / "own.npz", pulse_separation=2 * TAU)
        assert found.files[0].steps[0]["detail"].endswith("as given; the file says 99.9493 µs.")
        again = ln.measure(tmp_path / "own.npz", pulse_separation=TAU)
        assert again.files[0].steps[0]["name"] == "read"

    def test_the_same_echo_at_half_the_times_is_of_twice_the_frequencies(self, tmp_path, measured):
        write_npz(tmp_path / "fast.npz", simulated_record()[0], DT / 2)
        fast = ln.measure(tmp_path / "fast.npz", pulse_separation=TAU / 2)
        for name in ("W", "W_sd", "alpha_x", "alpha_z"):
            assert fast.table[name][0] == pytest.approx(2 * measured.table[name][0], rel=1e-6)
        assert fast.table["L"][0] == pytest.approx(measured.table["L"][0], rel=1e-6)
        (_, one), (_, other) = next(fast.records()), next(measured.records())
        assert one.nearest_labels["W"] == pytest.approx(2 * other.nearest_labels["W"])

    def test_a_line_that_the_model_does_not_know_is_refused(self, folder):
        with pytest.raises(
            InputError, match=r"fwhm.*Train a model on such curves: ln\.train\(.*fwhm=0\.08"
        ):
            ln.measure(folder / "good.npz", pulse_separation=TAU, fwhm=0.08)
        assert not ln.measure([folder / "good.npz"], pulse_separation=TAU, fwhm=0.05).refused


class TestSettings:
    """Wrong for every file, they are errors of the call."""

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"pulse_separation": -1}, "pulse_separation must be > 0 µs"),
            ({"fwhm": 0}, "fwhm must be > 0 MHz"),
            ({"echo_time": "late"}, "echo_time must be"),
            ({"train": 0}, "train must be a whole number"),
            ({"seed": -1}, "seed must be a whole number"),
            ({"m0": 0.0}, "m0 must be > 0"),
            ({"opening": {"colums": 1}}, "opening must map names of columns, domain"),
            ({"opening": ["x"]}, "opening must map names"),
            ({"model": "echo"}, "model must be one of measured echoes"),
            ({"model": "measured-echo-m0"}, r"m0.*must be given"),
        ],
    )
    def test_they_are_named(self, folder, given, said):
        paths = [folder / "good.npz", folder / "noise.npz"]
        with pytest.raises(InputError, match=said):
            ln.measure(paths, **({"pulse_separation": TAU} | given))

    def test_with_m0_the_model_is_the_one_that_knows_the_gain(self, folder):
        found = ln.measure(folder / "good.npz", pulse_separation=TAU, m0=500.0)
        assert found.model["name"] == "measured-echo-m0"


class TestFormats:
    """Files of every format give what the records gave."""

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", WRITERS)
    def test_a_simulated_echo_is_inside_near_its_own_strength(self, kind, tmp_path):
        write, name, n_records = WRITERS[kind]
        signal, strength = simulated_record(n_records, dwell=0.1)
        path = write(tmp_path / name, signal.astype(np.complex64), 0.1)
        opened = ln.open_measurement(path)
        found = ln.measure(opened, pulse_separation=TAU)
        assert len(found.table) == n_records
        assert (found.table["verdict"] == "INSIDE").sum() >= n_records - 1
        row = found.table.iloc[0]
        # The interval leaves out one of twenty; not by more than the 68 % interval is wide.
        assert row["W_low95"] - 0.02 < strength < row["W_high95"] + 0.02


class TestDigest:
    """What a rerun compares."""

    def test_it_is_of_the_records_not_of_the_name(self, folder, tmp_path):
        (tmp_path / "other.npz").write_bytes((folder / "good.npz").read_bytes())
        one, other = (measurement_digest(p / n) for p, n in
                      ((folder, "good.npz"), (tmp_path, "other.npz")))  # fmt: skip
        assert one == other != measurement_digest(folder / "noise.npz")

    def test_what_cannot_be_used_has_one_too(self, folder):
        assert measurement_digest(folder / "cut.npz") != measurement_digest(folder / "absent.npz")


class TestOptions:
    """Texts of a command line as arguments."""

    def test_units_are_read(self):
        options = MeasurementOptions(
            tau="0.1ms", fwhm="50kHz", carrier="none", crop="40", dwell="500ns", train="256"
        )
        found = options.settings()
        assert found["pulse_separation"] == pytest.approx(100)
        assert found["fwhm"] == pytest.approx(0.05)
        assert (found["carrier"], found["bandwidth"], found["train"]) == (None, "find", 256)
        assert found["crop"] == 40
        assert found["opening"] == {"dwell": 0.5}

    def test_by_default_all_is_found(self):
        found = MeasurementOptions().settings()
        assert found["echo_time"] == found["carrier"] == "find"
        assert found["opening"] == {}

    def test_every_setting_is_an_argument(self):
        record = xr.Dataset({"signal": (("record", "time"), np.ones((1, 9), complex))})
        with pytest.raises(InputError, match="time"):
            ln.measure(record.assign_coords(time=np.zeros(9)), **MeasurementOptions().settings())

"""Remedies that commands give: their own options, and protocols that fit."""

import pickle

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.commands.train_vae import Options
from latent_nmr.errors import InputError, ProtocolsError, RepeatsError
from latent_nmr.report.cures import in_option_words

WAYS = {"seed": 3, "n_edge": 8, "step": 8}


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    path = tmp_path_factory.mktemp("cures") / "three.nc"
    ln.save_echoes(ln.simulate("paper", 3, protocols=[60, 90, 120], **WAYS), path)
    return path


def run(capsys, *words):
    code = main([*map(str, words)])
    return code, capsys.readouterr().err.splitlines()[-1]


class TestProtocols:
    """Data of several protocols, and a model of some."""

    @pytest.mark.parametrize("command", ["embed", "plot-latent", "audit"])
    def test_the_one_that_fits_is_named_by_the_option(self, command, three, capsys):
        code, complaint = run(capsys, command, "echo", three)
        assert code == 2
        assert complaint.endswith("τ = 99.95 µs). Pass --protocol 90deg.")

    def test_that_cure_helps(self, three, tmp_path):
        words = ["embed", "echo", three, "--out", tmp_path / "table.csv", "--protocol", "90deg"]
        assert main([*map(str, words)]) == 0

    def test_several_are_named_in_the_order_of_the_model(self, three, capsys, tmp_path):
        turned = ln.open_echoes(three).sel(protocol=["120deg", "90deg", "60deg"])
        ln.save_echoes(turned, tmp_path / "turned.nc")
        code, complaint = run(capsys, "embed", "polar-pair", tmp_path / "turned.nc")
        assert code == 2
        assert complaint.endswith("Pass --protocol 60deg 120deg.")

    def test_of_data_that_say_no_pulses_the_choice_is_left(self, three):
        dataset = ln.open_echoes(three).drop_vars(["flip_angle", "tau"])
        dataset.attrs["protocols"] = []
        dataset.attrs["echo_index"] = 1256
        with pytest.raises(ProtocolsError, match=r"of 60deg, 90deg, 120deg\.$") as caught:
            ln.embed("echo", dataset)
        options = type("Options", (), {"protocol": ()})()
        assert in_option_words(caught.value, options).endswith(
            "Pass --protocol with the one that has its pulses, of 60deg, 90deg, 120deg."
        )

    def test_where_none_fits_none_is_suggested(self, three):
        dataset = ln.open_echoes(three).sel(protocol=["60deg", "120deg"])
        with pytest.raises(ln.InputError, match=r"Use data of the same pulses\.$"):
            ln.embed("echo", dataset)

    def test_another_spacing_does_not_fit(self):
        dataset = ln.simulate("paper", 2, protocols="90:50 90:100", **WAYS)
        with pytest.raises(ln.InputError, match=r"ds.sel\(protocol='90deg-100us'\)"):
            ln.embed("echo", dataset)

    def test_a_set_beside_one_of_a_single_protocol_gets_no_option(self, three, capsys, tmp_path):
        ln.save_echoes(ln.open_echoes(three).sel(protocol="90deg"), tmp_path / "one.nc")
        code, complaint = run(capsys, "evaluate", tmp_path / "one.nc", "--also", three)
        assert code == 2
        assert complaint.endswith("Select it: ds.sel(protocol='90deg').")


class TestRepeats:
    """What learns from repeats, and data without any."""

    @pytest.mark.parametrize(
        ("words", "cure"),
        [
            (["train-vae", "--setting", "repeats"], "pass --setting thorough."),
            (["train-vae", "--contrast", "1"], "leave out --contrast and --likelihood repeats."),
            (["evaluate", "reference", "--methods", "repeat-pca"], "leave these out of --methods."),
        ],
    )
    def test_the_command_that_makes_them_is_named(self, words, cure, capsys, tmp_path):
        code, complaint = run(capsys, *words, "--out", tmp_path / "out")
        assert code == 2
        assert complaint.endswith(
            f"Give data with repeats, such as latent-nmr simulate --repeats 2 makes, or {cure}"
        )
        assert "groups=" not in complaint

    def test_the_library_names_its_own(self):
        with pytest.raises(RepeatsError, match=r"Pass fit\(X, groups=material\)"):
            ln.BetaVAE.of_repeats().fit(np.random.default_rng(0).random((40, 8)))


class TestNumberOfCurves:
    """The first curves of a data set, and what repeats they have."""

    @pytest.mark.parametrize("suffix", [".zarr", ".nc"])
    def test_one_that_parts_a_material_is_refused_with_those_that_do_not(
        self, suffix, capsys, tmp_path
    ):
        path = tmp_path / f"repeats{suffix}"
        if suffix == ".zarr":
            words = ["--n-curves", 9, "--repeats", 3, "--n-edge", 8, "--step", 8]
            assert main([*map(str, ["simulate", *words, "--out", path])]) == 0
        else:
            ln.save_echoes(ln.simulate("paper", 9, repeats=3, **WAYS), path)
        words = ["train-vae", "--data", path, "--out", tmp_path / "out", "--n-curves"]
        code, complaint = run(capsys, *words, 5)
        assert code == 2
        assert complaint.endswith("of the same materials. Use 3 or 6.")
        assert run(capsys, *words, 2)[1].endswith("Use 3.")
        assert "at most the number of" in run(capsys, *words, 10)[1]

    def test_whole_materials_are_read(self, tmp_path):
        path = tmp_path / "repeats.nc"
        ln.save_echoes(ln.simulate("paper", 9, repeats=3, **WAYS), path)
        assert Options(data=path, n_curves=6).open(path).sizes["curve"] == 6


@pytest.mark.parametrize(
    "error",
    [
        ProtocolsError("data differ.", "Select.", ["60deg"], True),
        RepeatsError("none.", "Give."),
    ],
)
def test_errors_outlive_another_process(error):
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, InputError)
    assert (str(again), vars(again)) == (str(error), vars(error))

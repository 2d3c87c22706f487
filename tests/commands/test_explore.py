"""`latent-nmr explore` writes one page."""

import json

import pytest

import latent_nmr as ln
from latent_nmr.commands.main import main


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.nc"
    ln.save_echoes(ln.load_reference(n_curves=8), path)
    return path


class TestExplore:
    """The command."""

    def test_it_writes_the_page_and_says_so(self, data, tmp_path, capsys):
        out = tmp_path / "map.html"
        assert main(["explore", "echo", str(data), "--out", str(out)]) == 0
        assert "map.html: 8 curves, 0." in capsys.readouterr().out
        assert "<title>Latent space of the model echo</title>" in out.read_text("utf-8")
        before = out.read_bytes()
        assert main(["explore", "echo", str(data), "--out", str(out)]) == 0
        assert "is already finished" in capsys.readouterr().out
        assert main(["explore", "echo", str(data), "--out", str(out), "--json"]) == 0
        values = json.loads(capsys.readouterr().out)
        assert (values["n_shown"], values["n_bytes"]) == (8, len(before))
        assert out.read_bytes() == before

    def test_models_that_need_data_say_so_in_one_line(self, tmp_path, capsys):
        assert main(["explore", "polar-60", "--out", str(tmp_path / "map.html")]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "data must be given" in line
        assert list(tmp_path.iterdir()) == []

    def test_a_foreign_file_is_kept(self, data, tmp_path, capsys):
        (tmp_path / "map.html").write_text("mine")
        assert main(["explore", "echo", str(data), "--out", str(tmp_path / "map.html")]) == 2
        assert (tmp_path / "map.html").read_text() == "mine"
        assert "exists" in capsys.readouterr().err

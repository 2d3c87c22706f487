"""The package as pip installs it, used in an empty folder."""

import re
import shutil
import site
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.try_dist import run

ROOT = Path(__file__).parents[1]
# Ten trained models and the reference set; those of four axes take 3.5 and 1.3 MB of it, that of
# measured echoes 1.5 MB with its reference, posteriors 0.6 and 0.2 MB, and what packs them.
MAX_BYTES = 19e6

USE = """
from pathlib import Path
import latent_nmr as ln
from latent_nmr.commands.main import main

assert Path(ln.__file__).is_relative_to({environment!r})
for name in ("echo", "full", "polar-60", "polar-pair", "challenge-gauss", "challenge-rkky"):
    ln.load_pretrained(name)
ln.save_echoes(ln.load_reference(n_curves=30), "data.npz")
assert main(["embed", "echo", "data.npz"]) == 0
assert main(["plot-latent", "echo", "data.npz"]) == 0
assert main(["card", "challenge-gauss"]) == 0
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy: setuptools writes beside its sources."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, source / name)
    ignored = shutil.ignore_patterns("__pycache__", ".*.lock")
    shutil.copytree(ROOT / "latent_nmr", source / "latent_nmr", ignore=ignored)
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", source]
    run(sys.executable, "-m", "pip", "-q", *build, source)
    (path,) = source.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A new environment with the wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    # Not --system-site-packages: from within an environment that means the packages beneath it.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()), "utf-8")
    install = ["install", "--no-deps", "--no-index", wheel]
    run(sys.executable, "-m", "pip", "-q", "--python", folder / "bin" / "python", *install)
    return folder


def test_the_next_release_has_one_number_wherever_it_is_said():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    release, _, is_ahead = settings["project"]["version"].partition(".dev")
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(r"^version: (.*)$", citation, re.M)[1] == release
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert headings[0] == "Unreleased"
    assert is_ahead or re.fullmatch(rf"{re.escape(release)} - \d{{4}}-\d\d-\d\d", headings[1])


def test_the_wheel_is_small_and_holds_the_whole_package(wheel):
    assert wheel.stat().st_size < MAX_BYTES
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = [path for path in (ROOT / "latent_nmr").rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"}
    assert {name for name in packed if name.startswith("latent_nmr/")} == wanted


def test_models_reference_set_and_commands_work_in_an_empty_folder(environment, tmp_path):
    run(
        environment / "bin" / "python", "-c", USE.format(environment=str(environment)), cwd=tmp_path
    )
    rows = (tmp_path / "embedding.csv").read_text("utf-8").splitlines()
    assert len(rows) == 31
    assert (tmp_path / "latent_map.png").stat().st_size > 0
    train = ["train-vae", "--window", "echo", "--n-curves", "60", "--max-epochs", "1"]
    printed = run(environment / "bin" / "latent-nmr", *train, cwd=tmp_path)
    assert "60 curves × 400 samples of reference" in printed
    assert (tmp_path / "artifacts" / "runs" / "vae-echo-seed0" / "weights.safetensors").is_file()

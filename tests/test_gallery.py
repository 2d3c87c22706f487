"""Examples of the gallery: public names, nothing but what the wheel brings, and no network."""

import ast
import json
import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import latent_nmr as ln

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "docs" / "gallery").glob("plot_*.py"))
IMPORT_NAMES = {"scikit-learn": "sklearn", "umap-learn": "umap"}
# Runs an example as its readers do, in an empty folder, with no way out to a network.
RUN = """
import runpy, socket, sys

def refuse(*arguments, **keywords):
    raise OSError("examples need no network")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def tree_of(path):
    return ast.parse(path.read_text("utf-8"))


def modules_imported(tree):
    """Names of the packages that a script imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module.partition(".")[0]


def modules_of_the_wheel():
    """What an installation without extras can import."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = [line.partition(">")[0] for line in settings["project"]["dependencies"]]
    # pandas comes with xarray.
    named = {IMPORT_NAMES.get(name, name) for name in packages} | {"latent_nmr", "pandas"}
    return named | set(sys.stdlib_module_names)


def dotted_names(tree):
    """`ln.plots.latent_map` and the like, as they stand in the code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            words = [node.attr]
            while isinstance(node.value, ast.Attribute):
                node = node.value
                words.append(node.attr)
            if isinstance(node.value, ast.Name) and node.value.id == "ln":
                yield words[::-1]


def test_there_are_examples():
    assert len(EXAMPLES) >= 13


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
class TestExample:
    """What a script says of itself, without running it."""

    def test_it_begins_with_a_question(self, path):
        title, line, *_ = ast.get_docstring(tree_of(path), clean=False).strip().splitlines()
        assert title.endswith("?")
        assert set(line) == {"="}

    def test_it_imports_only_what_the_wheel_brings_and_nothing_of_networks(self, path):
        found = set(modules_imported(tree_of(path)))
        assert found - modules_of_the_wheel() == set()
        assert found & {"ftplib", "http", "socket", "ssl", "subprocess", "urllib"} == set()
        assert "://" not in path.read_text("utf-8")

    def test_its_names_of_the_package_are_public(self, path):
        modules = [
            node.module
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.ImportFrom) and node.module.startswith("latent_nmr")
        ]
        assert modules == []
        for first, *rest in dotted_names(tree_of(path)):
            assert first in ln.__all__
            if first == "plots" and rest:
                assert rest[0] in ln.plots.__all__

    def test_it_ends_with_a_picture(self, path):
        last = path.read_text("utf-8").split("\n# %%\n")[-1]
        assert "plt.subplots(" in last or ".figures[" in last


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_runs_in_an_empty_folder_without_a_network_and_leaves_nothing_there(path, tmp_path):
    run = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", RUN, str(path)],
        cwd=tmp_path, env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_its_notebook_runs_in_jupyter(path, tmp_path, monkeypatch):
    pytest.importorskip("ipykernel", reason="make test-notebooks installs it")
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    gallery = pytest.importorskip("sphinx_gallery.notebook")
    config = pytest.importorskip("sphinx_gallery.gen_gallery").DEFAULT_GALLERY_CONF
    _, blocks = import_module("sphinx_gallery.py_source_parser").split_code_and_text_blocks(path)
    made = gallery.jupyter_notebook(blocks, config, str(path.parent))
    notebook = nbformat.reads(json.dumps(made), as_version=4)
    monkeypatch.delenv("MPLBACKEND")  # as Jupyter has it: figures go into the notebook
    where = {"metadata": {"path": tmp_path}}
    nbclient.NotebookClient(notebook, timeout=300, resources=where).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert list(tmp_path.iterdir()) == []

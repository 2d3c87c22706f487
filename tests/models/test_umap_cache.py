"""UMAP where numba can keep nothing that it compiles: no folder of the user, nor the package's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# As umap-learn is built: loading it compiles functions that are to be kept.
PACKAGE = """
from numba import njit

@njit("f8(f8)", cache=True)
def twice(x):
    return 2 * x

class UMAP:
    value = twice(2.0)
"""
CODE = """
import os, warnings
from numba import config
from latent_nmr.models._umap import load_umap
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    assert load_umap().value == 4 == load_umap().value
print(len(said), *(warning.message for warning in said), os.listdir(config.CACHE_DIR))
"""


def unprivileged():
    """What to put before a command so that permissions hold for it; root may write anywhere."""
    if sys.platform != "linux":
        pytest.skip("needs a system on which others' folders cannot be written")
    if os.geteuid():
        return []
    words = ["unshare", "--user", "--map-user=12345"]
    if not shutil.which("unshare") or subprocess.run([*words, "true"], check=False).returncode:
        pytest.skip("root may write anywhere, and cannot do without it here")
    return words


def test_it_is_compiled_into_a_temporary_folder_with_a_warning(tmp_path):
    package = tmp_path / "umap"
    package.mkdir()
    (package / "__init__.py").write_text(PACKAGE)
    package.chmod(0o555)
    words = [*unprivileged(), sys.executable, "-c", CODE]
    variables = {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": "/proc/nowhere", "TMPDIR": "/tmp"}
    known = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    finished = subprocess.run(
        words,
        env={**known, **variables, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        check=False,
        capture_output=True,
        text=True,
    )
    package.chmod(0o755)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("1 UMAP compiles its functions again in every process")
    assert "Set NUMBA_CACHE_DIR" in finished.stdout
    assert "['umap_" in finished.stdout
    folder = Path(finished.stdout.partition("to one; ")[2].partition(" is used")[0])
    assert folder.name.startswith("numba-")
    assert not folder.exists()

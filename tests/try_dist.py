"""Install the wheel where nothing else is and try it: `make dist` runs this, once per Python.

python tests/try_dist.py dist/latent_nmr-0.2.0-py3-none-any.whl python3.11 python3.13
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def run(*command, cwd=None):
    """Run a command that sees no checkout; what it prints, or the end of this one."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        sys.exit(f"{' '.join(map(str, command))} ended with {found.returncode}:\n{found.stderr}")
    return found.stdout


def try_wheel(wheel, python, folder):
    """Install `wheel` into an environment in `folder`; says what was tried and how long it took."""
    started = time.perf_counter()
    run(python, "-m", "venv", folder / "venv", cwd=folder)
    tools, empty = folder / "venv" / "bin", folder / "empty"
    empty.mkdir()
    run(tools / "python", "-m", "pip", "-q", "install", wheel, cwd=empty)
    run(tools / "python", "-m", "pip", "check", cwd=empty)
    installed = time.perf_counter()
    version = run(tools / "latent-nmr", "--version", cwd=empty).split()[-1]
    assert version in wheel.name, (version, wheel.name)
    assert "train-vae" in run(tools / "latent-nmr", "--help", cwd=empty)
    (example,) = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.M | re.S)
    assert "loaded: True" in run(tools / "python", "-c", example, cwd=empty)
    run(tools / "latent-nmr", "plot-latent", "echo", "reference", cwd=empty)
    assert (empty / "latent_map.png").is_file()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    name = run(tools / "python", "--version", cwd=empty).strip()
    print(
        f"{name}: installed in {installed - started:.0f} s ({size / 1e6:.0f} MB); "
        f"help, README and a map in {time.perf_counter() - installed:.0f} s"
    )


def main():
    """Try one wheel with every Python named, or with that of this process."""
    wheel, *pythons = sys.argv[1:]
    for python in pythons or [sys.executable]:
        if shutil.which(python) is None:
            sys.exit(f"there is no {python}. Name interpreters that are: PYTHONS='python3.11 …'")
        with tempfile.TemporaryDirectory() as folder:
            try_wheel(Path(wheel).resolve(), python, Path(folder))


if __name__ == "__main__":
    main()

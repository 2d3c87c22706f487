"""Progress bars: shown to people, silent in files."""

import subprocess
import sys

import pytest

from latent_nmr._progress import progress_bar


@pytest.mark.parametrize(("is_notebook", "shown"), [(True, None), (False, True)])
def test_it_is_shown_in_a_notebook_or_when_asked_for(monkeypatch, capsys, is_notebook, shown):
    if is_notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", sys)
    with progress_bar(3, "curve", shown=shown, delay=0) as bar:
        bar.update(3)
    assert "3/3" in capsys.readouterr().err


@pytest.mark.parametrize(("is_notebook", "shown"), [(False, None), (True, False), (False, False)])
def test_it_is_silent_in_a_file_or_when_not_wanted(monkeypatch, capsys, is_notebook, shown):
    if is_notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", sys)
    with progress_bar(3, "curve", shown=shown, delay=0) as bar:
        bar.update(3)
    assert capsys.readouterr() == ("", "")


def test_a_notebook_without_widgets_gets_no_advice_on_packages():
    # What tqdm takes for a notebook: a kernel of IPython and its shell.
    code = (
        "import sys, types\n"
        "ipython, kernel = types.ModuleType('IPython'), types.ModuleType('ipykernel.zmqshell')\n"
        "ipython.get_ipython = object\n"
        "sys.modules |= {'IPython': ipython, 'ipykernel.zmqshell': kernel, 'ipywidgets': None}\n"
        "import latent_nmr._progress"
    )
    run = subprocess.run(
        [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("", "")

"""Two thousand model folders that went wrong: each is refused, or gives finite numbers."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from latent_nmr.models.beta_vae import BetaVAE
from tests.models.fuzzing import examine
from tests.models.mutations import KINDS, make_mutant

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def whole(curves, tmp_path_factory):
    """A small saved model, and three rows beside it on which it can be used."""
    path = tmp_path_factory.mktemp("mutations") / "model"
    model = BetaVAE(hidden_layer_sizes=(8,), max_epochs=3, random_state=0).fit(curves)
    model.save(path, metadata={"window": "echo", "time_us": [0.0, 1.0]})
    np.save(path.parent / "X.npy", curves[:3])
    return path


class TestMutants:
    """Nothing but the package's own errors, little time, little memory, no code."""

    def test_a_mutant_is_made_anew_from_its_number(self, whole, tmp_path):
        for number in range(3 * len(KINDS)):
            made = []
            for copy in "ab":
                folder = tmp_path / copy / str(number)
                folder.mkdir(parents=True)
                make_mutant(whole, folder / "model", number)
                files = [p for p in (folder / "model").iterdir() if not p.is_symlink()]
                files = [p for p in files if p.is_file() and p.stat().st_size < 2**30]
                made.append({path.name: path.read_bytes() for path in files})
            assert made[0] == made[1]

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore:overflow")
    def test_a_few_of_every_kind_are_refused_or_harmless(self, whole, curves, tmp_path):
        outcomes, _ = examine(whole, 6 * len(KINDS), curves[:3], tmp_path, allowed_seconds=5)
        seen = {word for counts in outcomes.values() for word in counts}
        assert {"refused", "finite"} <= seen
        assert sum(map(len, outcomes.values())) >= len(KINDS)

    @pytest.mark.slow
    def test_two_thousand_take_less_than_a_second_and_500_megabytes_each(self, whole):
        command = [sys.executable, "-m", "tests.models.fuzzing", str(whole), "2000"]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        print(run.stdout)

"""A store that machines of several kinds fill."""

import os
import subprocess
import sys

import numpy as np
import pytest

from latent_nmr.data.io import open_echoes
from latent_nmr.data.store import CHUNK, fill_part, simulate
from latent_nmr.physics.simulate import Simulation, draw_fields

EDGE = 12
SETTINGS = {"n_edge": EDGE, "seed": 3, "step": 4}

# The second chunk, by a processor that has fewer instructions and rounds differently.
OTHER = (
    "import sys; import numpy as np; from pathlib import Path\n"
    "from latent_nmr.data.store import fill_part\n"
    "from latent_nmr.physics.simulate import Simulation, draw_fields\n"
    f"simulation = Simulation(**{SETTINGS})\n"
    f"list(fill_part(Path(sys.argv[1]), simulation, {2 * CHUNK}, [range({CHUNK}, {2 * CHUNK})]))\n"
    f"np.save(sys.argv[2], draw_fields(simulation, range({2 * CHUNK})))"
)


@pytest.mark.slow
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="its instructions are those of x86-64")
def test_parameters_and_offsets_have_the_same_bits_and_curves_agree_to_a_millionth(tmp_path):
    path, fields = tmp_path / "echoes.zarr", tmp_path / "fields.npy"
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_max_isa=SSE4_2"
    subprocess.run(
        [sys.executable, "-c", OTHER, str(path), str(fields)],
        env=os.environ | {"XLA_FLAGS": flags},
        check=True,
    )
    simulation = Simulation(**SETTINGS)
    list(fill_part(path, simulation, 2 * CHUNK, [range(CHUNK)]))
    np.testing.assert_array_equal(np.load(fields), draw_fields(simulation, range(2 * CHUNK)))
    together, alone = open_echoes(path), simulate("paper", 2 * CHUNK, **SETTINGS)
    for label in alone.coords:
        np.testing.assert_array_equal(together[label], alone[label])
    difference = np.abs(together["my"] - alone["my"]).max("time").to_numpy()
    assert not difference[:CHUNK].any()
    # They do differ: otherwise the test would show nothing.
    assert 0 < difference[CHUNK:].max() < 1e-6
    assert np.abs(together["mx"] - alone["mx"]).max() < 1e-6

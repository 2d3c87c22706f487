"""The posterior of the package on curves that were simulated for this test alone."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.models.posterior.prior import as_materials
from latent_nmr.shipped import shipped_path
from latent_nmr.studies.posterior._correction import Correction, place_columns
from latent_nmr.studies.posterior._data import ask
from latent_nmr.studies.posterior._quantities import QUANTITIES, quantities

pytestmark = pytest.mark.slow

N_CURVES, N_DRAWS = 240, 1000


@pytest.fixture(scope="module")
def curves():
    return ln.simulate("challenge2021-spin", n_curves=N_CURVES, seed=77)


def hits(curves, level, *, phase):
    """Whether corrected central intervals hold the truth, shape (n_curves, 4)."""
    model = ln.load_pretrained("posterior")
    correction = Correction.load(shipped_path("models", "posterior"))
    asked = ask("record", curves, snr=None, seed=1)
    drawn = model.sample(
        asked.rows, asked.flip_angle_deg, phase=phase, snr=asked.snr, n_draws=N_DRAWS
    )
    found = quantities(model.prior_, drawn)
    true = quantities(model.prior_, as_materials(model.prior_, curves))
    spreads = np.stack([found[name].std(axis=1) for name in QUANTITIES], axis=1)
    places = place_columns(asked.flip_angle_deg, asked.snr, found["W"].mean(axis=1), spreads)
    ends = (1 - level) / 2, (1 + level) / 2
    inside = np.zeros((N_CURVES, len(QUANTITIES)), bool)
    for column, name in enumerate(QUANTITIES):
        for row in range(N_CURVES):
            levels = correction.levels(name, places[row], ends, phase=phase)
            low, high = np.quantile(found[name][row], levels)
            inside[row, column] = low <= true[name][row] <= high
    return inside


@pytest.mark.parametrize("phase", [True, False])
@pytest.mark.parametrize("level", [0.5, 0.68, 0.9])
def test_corrected_intervals_hold_the_truth_as_often_as_they_say(curves, phase, level):
    error = np.sqrt(level * (1 - level) / N_CURVES)
    shares = hits(curves, level, phase=phase).mean(axis=0)
    # 2 % are what the calibration allows, the rest is chance.
    np.testing.assert_allclose(shares, level, atol=0.02 + 3.5 * error)


def test_a_trusted_phase_tells_alpha_z_away_from_90_degrees(curves):
    theta = curves.challenge_theta.to_numpy()
    away = curves.isel(curve=np.abs(theta - 90) > 20)
    found = [
        ln.infer(away, curve=number, snr=200, phase=True).known["alpha_z"] for number in range(8)
    ]
    assert np.median([one.contraction for one in found]) > 0.9


def test_one_echo_takes_under_50_ms_once_all_is_compiled(curves):
    import time

    model = ln.load_pretrained("posterior")
    row = ln.record_rows(curves.isel(curve=[0]))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        model.sample(row, 60.0, snr=100)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05

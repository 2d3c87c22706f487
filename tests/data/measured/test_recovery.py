"""300 simulated measurements in files of every format: what is read is what was written."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.studies.measurement._instrument import load_instrument
from latent_nmr.studies.measurement._judge import judge
from latent_nmr.studies.measurement.calibration import simulated_records
from latent_nmr.studies.measurement.visible import visible_echoes
from tests.data.measured.writers import WRITERS

N_FILES, EVERY = 300, 15
# Of numbers in single precision or of nine digits, over the largest of a record; resampling and
# phasing add a few of them.
PRECISION = 1e-5


@pytest.fixture(scope="module")
def records():
    """Records of SNR 3 to 100, each with the time of 2τ after its first sample."""
    simulated = ln.simulate("paper", N_FILES + 60, seed=91)
    made = []
    for record, _ in simulated_records(visible_echoes(simulated)):
        start = float(record.time[0])
        # Bruker and TNT state no beginning: times count from the first sample.
        moved = record.assign_coords(time=record.time - start)
        made.append((moved, record.attrs["echo_time_given"] - start))
    assert len(made) >= N_FILES
    return made[:N_FILES]


@pytest.fixture(scope="module")
def instrument():
    return load_instrument("measured-echo")


def prepared(record, echo_time):
    start = float(record.time[0])
    return ln.prepare_measurement(
        record, pulse_separation=100.0, echo_time=echo_time + start, grid="full"
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRITERS)
def test_a_measurement_says_the_same_from_a_file_of_any_format(kind, records, instrument, tmp_path):
    write, name, _ = WRITERS[kind]
    for number, (record, echo_time) in enumerate(records):
        signal, dwell = record.signal.to_numpy(), float(np.diff(record.time[:2])[0])
        # Of a height that integers would keep, too.
        signal = 1e5 * signal / np.abs(signal).max()
        path = write(tmp_path / f"{number}-{name}", signal, dwell)
        found = prepared(ln.open_measurement(path), echo_time)
        direct = prepared(record.copy(data={"signal": signal}), echo_time)
        assert found.sizes == direct.sizes
        both = (found.measured & direct.measured).to_numpy()
        # A sample at an end may be lost to rounding of times.
        assert both.sum() >= direct.measured.sum() - 2
        apart = np.abs(found.signal.to_numpy() - direct.signal.to_numpy())[:, both].max()
        assert apart < PRECISION * 1e5
        if number % EVERY == 0:
            one, other = judge(found, instrument)[0], judge(direct, instrument)[0]
            assert one.verdict == other.verdict
            for label, estimate in one.estimates.items():
                assert estimate.mean == pytest.approx(other.estimates[label].mean, rel=0.02)

"""300 simulated measurements in files of every format: what is read is what was written."""

import pytest

from latent_nmr.studies.measurement._instrument import load_instrument
from tests.data.measured.recovery import MODEL, N_FILES, measured_files, measurements
from tests.data.measured.writers import WRITERS

# Of numbers in single precision or of nine digits, over the largest of a record; resampling and
# phasing add a few of them.
PRECISION = 1e-5


@pytest.mark.slow
def test_a_measurement_says_the_same_from_a_file_of_any_format(tmp_path):
    instrument = load_instrument(MODEL)
    for number, own in enumerate(measurements(N_FILES)):
        for row in measured_files(own, WRITERS, tmp_path, instrument, number):
            assert row["apart"] < PRECISION, row
            # A sample at an end may be lost to rounding of times.
            assert row["lost"] <= 2, row
            assert row["agrees"], row

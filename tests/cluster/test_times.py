"""Times of jobs, as Slurm takes them."""

import pytest

from latent_nmr.cluster.slurm import minutes_of
from latent_nmr.errors import InputError


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("90", 90), ("1:30:00", 90), ("0:00:01", 1), ("2-00:00:00", 2880), ("1-1:01:01", 1502)],
)
def test_times_are_read_as_slurm_reads_them(text, minutes):
    assert minutes_of(text) == minutes


@pytest.mark.parametrize("text", ["", "0", "0:00:00", "1:30", "-5", "1h", "1.5", "1-0", "9" * 5000])
def test_other_times_are_refused(text):
    with pytest.raises(InputError, match=r"time must be above zero.* Give one, such as 90"):
        minutes_of(text)

"""Published data sets as distributions."""

import math

import pytest

from latent_nmr.errors import InputError
from latent_nmr.physics.line import Line
from latent_nmr.physics.parameters import Challenge2020Law, Challenge2021Law
from latent_nmr.physics.presets import PRESETS, get_preset

PAPER = get_preset("paper")
CHALLENGES = ["challenge2021-gauss", "challenge2021-rkky", "challenge2020"]


class TestPaper:
    """What is the same for all curves of `paper`."""

    def test_the_lattice_and_the_line_are_those_of_the_published_data(self):
        assert PAPER.n_edge == 100
        assert Line(fwhm=0.05, cutoff=0.5, draw="independent") == PAPER.line

    def test_a_record_has_1882_samples_of_159_ns_and_its_echo_at_1256(self):
        sequence = PAPER.sequence
        assert sequence.n_samples == 1882
        assert sequence.dt == pytest.approx(0.159155, abs=5e-7)
        assert [pulse.sample for pulse in sequence.pulses] == [0, 628]
        assert sequence.echo_sample == 1256
        assert sequence.time[628] == pytest.approx(99.95, abs=5e-3)

    def test_its_pulses_are_ninety_about_x_and_a_hundred_and_eighty_about_y(self):
        first, second = PAPER.sequence.pulses
        assert (first.angle, first.phase) == (math.pi / 2, 0.0)
        assert (second.angle, second.phase) == (math.pi, math.pi / 2)


@pytest.mark.parametrize("name", CHALLENGES)
class TestChallenges:
    """What is the same for all curves of the hackathon's sets."""

    def test_the_lattice_and_the_line_are_those_the_published_data_fit(self, name):
        preset = get_preset(name)
        assert preset.n_edge == 100
        assert preset.line == Line(fwhm=0.05, cutoff=0.25, draw="independent")

    def test_a_record_has_471_samples_of_318_ns_and_its_echo_at_314(self, name):
        sequence = get_preset(name).sequence
        assert sequence.n_samples == 471
        assert sequence.dt == pytest.approx(2 / (2 * math.pi), rel=1e-15)
        assert [pulse.sample for pulse in sequence.pulses] == [0, 157]
        assert sequence.echo_sample == 314

    def test_its_pulses_are_ninety_about_x_and_a_hundred_and_eighty_about_y(self, name):
        first, second = get_preset(name).sequence.pulses
        assert (first.angle, first.phase) == (math.pi / 2, 0.0)
        assert (second.angle, second.phase) == (math.pi, math.pi / 2)


def test_each_challenge_has_its_own_law():
    laws = [get_preset(name).law for name in CHALLENGES]
    assert laws == [Challenge2021Law("gaussian"), Challenge2021Law("rkky"), Challenge2020Law()]


class TestGetPreset:
    """Presets by name."""

    def test_an_unknown_name_is_refused_with_the_nearest_one(self):
        with pytest.raises(InputError, match=r"preset must be one of paper.*'papers'.*'paper'\?"):
            get_preset("papers")

    @pytest.mark.parametrize("name", PRESETS)
    def test_a_preset_is_found_under_its_own_name(self, name):
        assert get_preset(name).name == name

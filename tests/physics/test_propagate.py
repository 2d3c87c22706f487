"""Mean field, dephasing, steps and the record of one lattice."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latent_nmr.physics import propagate
from latent_nmr.physics.kernels import coupling_spectrum, kernel_table
from latent_nmr.physics.propagate import Lattice, State
from latent_nmr.physics.reversible import reversible_record
from latent_nmr.physics.rotation import n_doublings
from latent_nmr.physics.schedule import Plan, field_evaluations, timing_of
from latent_nmr.physics.sequence import Pulse
from tests.covering import half_of, pairwise
from tests.physics import reference

N_EDGE = 6
KERNELS = [("gaussian", 1.3), ("power", 2.0), ("rkky", 3.0)]
SCHEMES = ["averaged", "midpoint", "source"]
ISOTROPIC = (0.2, 0.2, 0.2)
ANISOTROPIC = (0.2, 0.12, 0.07)
PULSES = np.stack([Pulse(0, 1.2).matrix(), Pulse(0, 2.4, math.pi / 2).matrix()])


def random_spins(seed, dtype="float64"):
    """Spins of length 1/2 in random directions, shape (3, n_edge, n_edge)."""
    normal = np.random.default_rng(seed).standard_normal((3, N_EDGE, N_EDGE))
    return jnp.asarray(0.5 * normal / np.linalg.norm(normal, axis=0), dtype)


def lattice(kernel, parameter, couplings, *, line_width=0.0, decay_rate=0.0, dtype="float64"):
    """A lattice in MHz, with the two pulses of an echo."""
    frequencies = line_width * np.random.default_rng(5).uniform(-1, 1, (N_EDGE, N_EDGE))
    spectrum = coupling_spectrum(kernel_table(kernel, parameter, N_EDGE))
    rows = (frequencies, spectrum, couplings, decay_rate, PULSES, 1.0)
    return Lattice(*(jnp.asarray(row, dtype) for row in rows))


def plan(step=1.0, interval=0.1, scheme="averaged", segments=()):
    """A plan of `interval` µs per sample, for segments of so many samples.

    No field here turns a spin by 2 rad in an interval.
    """
    n, stride = max(round(step), 1), max(round(1 / step), 1)
    runs = tuple(filled(stride * count, n) for count in segments)
    return Plan(interval / stride, stride, runs, scheme, n_doublings(2.0 * n), 0)


def filled(n_intervals, n):
    """Runs of steps of n intervals and a shorter last one."""
    count, left = divmod(n_intervals, n)
    return tuple(run for run in ((count, n), (1, left)) if all(run))


def evolved(spins, sites, cut):
    """`evolve` from MHz: spins (3, n_edge, n_edge) and signal, whose first row is zero."""
    timing = jax.tree.map(jnp.asarray, timing_of(cut, spins.dtype))
    in_angles = propagate.in_angles(sites, cut.interval)
    none = tuple(jnp.zeros_like(spins))
    signal = jnp.zeros((cut.program.n_samples, 3), spins.dtype)
    state = State(tuple(spins), none, none, jnp.zeros((), "int32"), signal)
    state = propagate.evolve(state, *timing.starts, timing, in_angles, cut.program)
    return np.asarray(state.spins), np.asarray(state.signal)


def recorded(sites, cut):
    """`record` by a plan."""
    timing = jax.tree.map(jnp.asarray, timing_of(cut, sites.frequencies.dtype))
    return np.asarray(propagate.record(sites, timing, cut.program))


def lengths(spins):
    return np.linalg.norm(spins, axis=0)


class TestMeanField:
    """g_i = α M_i, the field of all the others."""

    @pytest.mark.parametrize(("kernel", "parameter"), KERNELS)
    def test_it_is_the_double_sum_over_sites(self, kernel, parameter):
        with jax.enable_x64(True):
            spins = random_spins(0)
            sites = lattice(kernel, parameter, ANISOTROPIC, line_width=0.3)
            field = np.asarray(propagate.mean_field(spins, sites))
        numbers = reference.Sample(
            np.asarray(sites.frequencies), kernel, parameter, ANISOTROPIC, 0.0, 0.1, 2, ()
        )
        expected = reference.coupled_field(np.asarray(spins).reshape(3, -1).T, numbers)
        # 36 terms of size 1, each rounded.
        np.testing.assert_allclose(field.reshape(3, -1).T, expected, atol=36 * 2.0**-52)

    @pytest.mark.parametrize("n_edge", [6, 7])
    def test_one_spin_is_felt_by_all_the_others_but_not_by_itself(self, n_edge, dtype):
        spins = jnp.zeros((3, n_edge, n_edge), dtype).at[2, 2, 3].set(0.5)
        table = kernel_table("power", 1.0, n_edge)
        rows = (np.zeros((n_edge, n_edge)), coupling_spectrum(table), np.ones(3), 0.0, PULSES, 1.0)
        sites = Lattice(*(jnp.asarray(row, dtype) for row in rows))
        field = 2 * np.asarray(propagate.mean_field(spins, sites)) * table.sum()
        # The sum κ ≈ 15 is the scale of the FFT's terms.
        tolerance = 50 * float(jnp.finfo(dtype).eps)
        np.testing.assert_allclose(field[2], np.roll(table, (2, 3), axis=(0, 1)), atol=tolerance)
        np.testing.assert_array_equal(field[:2], 0.0)

    def test_the_line_adds_to_the_field_along_z_alone(self):
        with jax.enable_x64(True):
            sites, field = lattice("power", 2.0, ISOTROPIC, line_width=0.3), random_spins(1)
            total = propagate.with_line(field, sites)
        np.testing.assert_array_equal(total[:2], field[:2])
        np.testing.assert_array_equal(total[2], field[2] + sites.frequencies)


class TestDephasing:
    """Loss of the transverse part."""

    def test_the_transverse_part_falls_as_the_exponential_and_the_rest_stays(self, dtype):
        sites = lattice("power", 2.0, ISOTROPIC, decay_rate=0.02, dtype=dtype)
        spins = random_spins(8, dtype)
        out = propagate.relax(spins, propagate.in_angles(sites, 0.5), 10)
        expected = np.exp(-2 * np.pi * 0.02 * 5.0) * np.asarray(spins[:2])
        np.testing.assert_allclose(out[:2], expected, rtol=8 * float(jnp.finfo(dtype).eps))
        np.testing.assert_array_equal(out[2], spins[2])

    @staticmethod
    def turned(spin, field, n):
        """One spin after a turn that dephases at a rate of 0.1, and the signal on the way."""

        def note(noted, k, mean):
            return noted.at[k - 1].set(mean)

        with jax.enable_x64(True):
            spins, field = (jnp.reshape(jnp.asarray(v), (3, 1, 1)) for v in (spin, field))
            sites = lattice("power", 2.0, ISOTROPIC)._replace(decay_rate=jnp.asarray(0.1))
            signal = jnp.zeros((n, 3))
            out, signal = propagate.turn(spins, field, sites, plan().program, n, 1.0, note, signal)
        return np.ravel(out), signal

    @pytest.mark.parametrize("n", [1, 3])
    def test_a_turn_dephases_half_before_and_half_after(self, n):
        # A quarter turn about x takes y to -z and z to y: only the half after the turn acts on
        # what was z, and only the half before it on what was y.
        out, signal = self.turned([0.0, 0.3, 0.4], [math.pi / 2 / n, 0.0, 0.0], n)
        half = np.exp(-0.1 * n / 2)
        expected = [0.0, half * 0.4, -half * 0.3]
        # A dozen operations of size 1 in every interval.
        np.testing.assert_allclose(out, expected, atol=n**2 * 1e-15)
        np.testing.assert_allclose(signal[-1], expected, atol=n**2 * 1e-15)

    def test_samples_inside_a_turn_have_dephased_for_as_long_as_it_went_on(self):
        # About z decay and rotation commute: the split shows nowhere.
        _, signal = self.turned([0.3, 0.0, 0.4], [0.0, 0.0, 0.2], 5)
        k = np.arange(1, 6)
        transverse = 0.3 * np.exp((-0.1 - 0.2j) * k)
        expected = np.stack([transverse.real, transverse.imag, np.full(5, 0.4)], axis=1)
        np.testing.assert_allclose(signal, expected, atol=5**2 * 1e-15)


class TestFreeEvolution:
    """Many steps, without pulses."""

    @pytest.mark.parametrize(
        ("n_intervals", "n", "scheme"), pairwise([0, 1, 4, 11], [1, 4, 20], SCHEMES)
    )
    def test_every_interval_gives_one_sample_whatever_the_step(self, scheme, n, n_intervals):
        sites = lattice("power", 2.0, ANISOTROPIC, line_width=0.3, dtype="float32")
        spins = random_spins(13, "float32")
        end, signal = evolved(spins, sites, plan(n, scheme=scheme, segments=(n_intervals,)))
        assert signal.shape == (1 + n_intervals, 3)
        if n_intervals:
            assert np.abs(signal[1:]).max(axis=1).min() > 0
            np.testing.assert_allclose(signal[-1], end.mean(axis=(1, 2)), atol=1e-7)
        else:
            np.testing.assert_array_equal(end, spins)

    @pytest.mark.parametrize(
        ("scheme", "step", "dtype"), pairwise(SCHEMES, [4, 0.5], ["float32", "float64"]),
        indirect=["dtype"],
    )  # fmt: skip
    def test_every_spin_keeps_its_length_without_decay(self, step, scheme, dtype):
        sites = lattice("rkky", 3.0, ANISOTROPIC, line_width=0.3, dtype=dtype)
        spins = random_spins(11, dtype)
        cut = plan(step, scheme=scheme, segments=(60,))
        out, _ = evolved(spins, sites, cut)
        assert np.abs(out - spins).max() > 0.1
        # A relative error of a few roundings in each of the steps, amplified by n² inside them.
        (n_steps, n), *_ = cut.runs[0]
        tolerance = 4 * n**2 * n_steps * float(jnp.finfo(dtype).eps)
        np.testing.assert_allclose(lengths(out), 0.5, rtol=tolerance)

    @pytest.mark.parametrize("scheme", SCHEMES)
    def test_with_decay_all_spins_shrink(self, scheme):
        with jax.enable_x64(True):
            sites = lattice("power", 2.0, ANISOTROPIC, line_width=0.3, decay_rate=0.01)
            out, _ = evolved(random_spins(12), sites, plan(2, scheme=scheme, segments=(60,)))
        assert lengths(out).max() < 0.5

    def test_the_schemes_agree_where_spins_do_not_interact(self, dtype):
        sites = lattice("power", 2.0, (0.0, 0.0, 0.0), line_width=0.3, dtype=dtype)
        ends = [
            evolved(random_spins(10, dtype), sites, plan(2, scheme=scheme, segments=(9,)))[0]
            for scheme in SCHEMES
        ]
        # Five steps in the same field, compiled apart.
        for end in ends[:2]:
            np.testing.assert_allclose(end, ends[2], atol=20 * float(jnp.finfo(dtype).eps))

    @pytest.mark.parametrize("law", ["energy", "total spin"])
    @pytest.mark.parametrize(("scheme", "order"), [("averaged", 3), ("midpoint", 2)])
    def test_what_the_equations_conserve_drifts_at_the_order_of_the_scheme(
        self, scheme, order, law
    ):
        # The energy -Σ ν_i s^z_i - (1/2) Σ α_d M^d_i s^d_i always; the total spin where the
        # couplings are isotropic and all sites share one frequency, zero in the rotating frame.
        isotropic = law == "total spin"
        couplings = ISOTROPIC if isotropic else ANISOTROPIC
        with jax.enable_x64(True):
            sites = lattice("rkky", 3.0, couplings, line_width=0.0 if isotropic else 0.2)
            spins = random_spins(14)

            def conserved(spins):
                if isotropic:
                    return spins.sum(axis=(1, 2))
                half_field = np.asarray(propagate.mean_field(spins, sites)) / 2
                own = sites.frequencies * spins[2]
                return np.asarray(-(half_field * spins).sum() - own.sum())

            drifts = []
            for step in (1, 0.5, 0.25):
                # 120 intervals of 0.05 µs: largest turn in a step, θ = 2π · 0.3 · 0.05 = 0.1 rad.
                cut = plan(step, interval=0.05, scheme=scheme, segments=(120,))
                out, _ = evolved(spins, sites, cut)
                drifts.append(np.abs(conserved(out) - conserved(spins)).max())
        # A drift C h^p (1 + c h + …) has a local order that differs from p by about θ.
        np.testing.assert_allclose(np.log2(np.divide(drifts[:-1], drifts[1:])), order, atol=0.1)


def transforms(jaxpr):
    """How often a program computes a real Fourier transform when it runs: loops are counted."""
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "fft":
            total += equation.params["fft_type"] == jax.lax.FftType.RFFT
        inner = sum(
            transforms(getattr(part, "jaxpr", part))
            for value in equation.params.values()
            for part in (value if isinstance(value, tuple | list) else (value,))
            if hasattr(part, "jaxpr") or hasattr(part, "eqns")
        )
        total += inner * (equation.params["length"] if equation.primitive.name == "scan" else 1)
    return total


class TestRecord:
    """From the polarised lattice to the samples of a sequence."""

    SEGMENTS = (17, 23)

    PLANS = pairwise([(5, 7), (8, 0), (3, 8)], [1, 4], SCHEMES)

    @pytest.mark.parametrize(("segments", "n", "scheme"), half_of(PLANS))
    def test_the_cost_stated_beforehand_is_the_number_of_fields_evaluated(
        self, monkeypatch, scheme, n, segments
    ):
        cut, found = plan(n, scheme=scheme, segments=segments), []
        mean_field = propagate.mean_field

        def counted(*arguments):
            found.append(1)
            return mean_field(*arguments)

        monkeypatch.setattr(propagate, "mean_field", counted)
        sites = lattice("power", 2.0, ANISOTROPIC, dtype="float32")
        with jax.disable_jit():
            recorded(sites, cut)
        assert len(found) == field_evaluations(cut)

    @pytest.mark.parametrize(("segments", "n", "scheme"), PLANS)
    def test_a_record_for_gradients_costs_as_much(self, scheme, n, segments):
        cut = plan(n, scheme=scheme, segments=segments)
        sites = lattice("power", 2.0, ANISOTROPIC, dtype="float32")
        program = jax.make_jaxpr(lambda sites: reversible_record(sites, cut))(sites)
        assert transforms(program.jaxpr) == field_evaluations(cut)

    @pytest.mark.parametrize(
        ("scheme", "step"), half_of([*zip(SCHEMES, (2, 3, 4), strict=True), ("averaged", 0.5)])
    )
    def test_a_record_for_gradients_is_the_same(self, scheme, step):
        with jax.enable_x64(True):
            sites = lattice("power", 2.0, ANISOTROPIC, line_width=0.3, decay_rate=0.01)
            cut = plan(step, scheme=scheme, segments=self.SEGMENTS)
            plain = recorded(sites, cut)
            reversible = reversible_record(sites, cut)
        assert plain.shape == (1 + sum(self.SEGMENTS), 3)
        # Some hundred operations of size 1/2 per sample.
        np.testing.assert_allclose(reversible, plain, atol=1e-13)

    def test_step_lengths_share_one_program(self):
        sites = lattice("power", 2.0, ANISOTROPIC, dtype="float32")
        compiled = jax.jit(propagate.record, static_argnames="program")
        for step in (8, 3, 1, 0.5, 1 / 16):
            cut = plan(step, segments=self.SEGMENTS)
            compiled(sites, jax.tree.map(jnp.asarray, timing_of(cut, "float32")), cut.program)
        assert compiled._cache_size() == 1

    @pytest.mark.parametrize(("n", "stride"), [(5, 2), (7, 3), (8, 3), (2, 5)])
    def test_steps_that_end_between_samples_give_the_same_ones(self, n, stride):
        with jax.enable_x64(True):
            sites = lattice("power", 2.0, (0.0, 0.0, 0.0), line_width=0.3, decay_rate=0.01)
            runs = tuple(filled(stride * count, n) for count in self.SEGMENTS)
            cut = Plan(0.1 / stride, stride, runs, "averaged", n_doublings(2.0 * n), 0)
            found, expected = recorded(sites, cut), recorded(sites, plan(1, segments=self.SEGMENTS))
        # Nothing but the offsets of uncoupled spins, some hundred operations of size 1/2.
        np.testing.assert_allclose(found, expected, atol=1e-13)

    @pytest.mark.parametrize("stride", [1, 3])
    def test_a_sample_at_the_time_of_a_pulse_is_the_one_after_it(self, stride):
        with jax.enable_x64(True):
            sites = lattice("power", 2.0, (0.0, 0.0, 0.0))
            cut = plan(1 / stride, segments=(5, 2))
            signal = recorded(sites, cut)
        first = PULSES[0] @ [0, 0, 0.5]
        np.testing.assert_allclose(signal[:5], np.tile(first, (5, 1)), atol=1e-14)
        np.testing.assert_allclose(signal[5:], np.tile(PULSES[1] @ first, (3, 1)), atol=1e-14)

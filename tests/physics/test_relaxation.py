"""Relaxation along z beside dephasing: its laws, and the Lindblad equation it is derived from."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from latent_nmr.data._same_store import check_same_settings
from latent_nmr.data.echoes import simulation_attributes
from latent_nmr.errors import InputError
from latent_nmr.physics import propagate
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.liouville import dissipator, lindblad_operators, liouville_curve
from latent_nmr.physics.relaxation import Relaxation, relaxed
from latent_nmr.physics.schedule import Plan, timing_of
from latent_nmr.physics.sequence import Pulse, Sequence
from latent_nmr.physics.simulate import Simulation, planned_evaluations, simulate_curves

# The shapes of test_convergence.py, so that both share their compiled programs.
N_EDGE, N_SAMPLES, DT = 6, 62, 0.05
FREQUENCIES = np.random.default_rng(3).uniform(-0.25, 0.25, (N_EDGE, N_EDGE))
TABLE = kernel_table("rkky", 3.0, N_EDGE)
SPIN = 0.5 * np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
# One row each: R, R₁ (MHz) and s_eq.
RATES = np.array([[0.0, 0.2, 0.5], [0.03, 0.1, -0.3], [0.02, 0.05, 0.0], [0.01, 0.0, 0.0]])
rates = st.floats(0.0, 2.0)


def curves(sequence, couplings=(0.0, 0.0, 0.0), table=RATES, **options) -> Any:
    """One curve for each row of `table`, shape (n_curves, N_SAMPLES, 3)."""
    n = len(table)
    decay_rate, relaxation_rate, equilibrium = np.transpose(table)
    return simulate_lattices(
        [FREQUENCIES] * n, [TABLE] * n, [couplings] * n, sequence, decay_rate=decay_rate,
        relaxation_rate=relaxation_rate, equilibrium_mz=equilibrium,
        **({"step": 4, "dtype": "float64"} | options),
    )  # fmt: skip


def sequence_of(first, second=(24, 0.0)):
    """A record with two pulses, as in test_convergence.py; one of 0 rad is none."""
    pulses = first, second
    return Sequence(DT, N_SAMPLES, tuple(Pulse(*pulse) for pulse in pulses))


class TestOneSpin:
    """What happens to a spin without a field."""

    @settings(max_examples=10, deadline=None)
    @given(dephasing=rates, rate=rates, equilibrium=st.floats(-0.5, 0.5), n=st.floats(0.0, 3.0))
    def test_it_is_the_solution_of_the_lindblad_equation(self, dephasing, rate, equilibrium, n):
        spins = np.random.default_rng(0).uniform(-0.28, 0.28, (3, 4))
        with jax.enable_x64(True):
            found = relaxed(
                jnp.asarray(spins), jnp.asarray(dephasing),
                Relaxation(jnp.asarray(rate), jnp.asarray(equilibrium)), n,
            )  # fmt: skip
        jumps = lindblad_operators(SPIN, dephasing, rate, equilibrium)
        propagator = expm(n * sum(map(dissipator, jumps)))
        for spin, end in zip(spins.T, np.asarray(found).T, strict=True):
            rho = np.eye(2) / 2 + 2 * np.tensordot(spin, SPIN, 1)
            rho = (propagator @ rho.ravel()).reshape(2, 2)
            expected = np.einsum("ij,dji->d", rho, SPIN).real
            np.testing.assert_allclose(end, expected, atol=1e-14)
            assert np.linalg.norm(end) <= 0.5 + 1e-15

    def test_a_negative_time_undoes_a_positive_one(self):
        with jax.enable_x64(True):
            spins = jnp.asarray(np.random.default_rng(1).uniform(-0.28, 0.28, (3, 2, 2)))
            own = jnp.asarray(0.1), Relaxation(jnp.asarray(0.3), jnp.asarray(-0.2))
            back = relaxed(relaxed(spins, *own, 2.5), *own, -2.5)
        np.testing.assert_allclose(back, spins, atol=1e-15)

    def test_rounding_does_not_add_up_over_many_short_steps(self):
        spins = tuple(jnp.asarray([[0.3], [0.2], [-0.3]], "float32"))
        own = jnp.float32(1e-5), Relaxation(jnp.float32(1.3e-4), jnp.float32(0.4))
        steps = jax.jit(
            lambda start: jax.lax.fori_loop(0, 4000, lambda _, s: relaxed(s, *own, 1.0), start)
        )
        with jax.enable_x64(True):
            exact = relaxed(*jax.tree.map(lambda v: jnp.asarray(v, "float64"), (spins, *own)), 4000)
        # 4000 roundings of 3e-8 of 0.3 at random: 6e-7; all of one sign: 4e-5.
        np.testing.assert_allclose(steps(spins), exact, atol=2e-6)


class TestWithoutCouplings:
    """Closed forms; steps are exact there."""

    TOLERANCE = 1e-13

    def test_after_an_inversion_mz_recovers_to_equilibrium_exponentially(self):
        sequence = sequence_of((0, math.pi))
        for row, curve in zip(RATES, curves(sequence), strict=True):
            _, rate, equilibrium = row
            expected = equilibrium - (0.5 + equilibrium) * np.exp(-2 * np.pi * rate * sequence.time)
            np.testing.assert_allclose(curve[:, 2], expected, atol=self.TOLERANCE)

    def test_the_echo_falls_with_half_the_relaxation_beside_the_dephasing(self):
        # What grew along z before the second pulse is turned back onto z: no matter where to.
        sequence = sequence_of((0, math.pi / 2), (24, math.pi, math.pi / 2))
        echoes = curves(sequence)[:, 48]
        both = RATES[:, 0] + RATES[:, 1] / 2
        expected = 0.5 * np.exp(-2 * np.pi * both * 48 * DT)
        np.testing.assert_allclose(echoes[:, 1], expected, atol=self.TOLERANCE)
        np.testing.assert_allclose(echoes[:, 0], 0, atol=self.TOLERANCE)

    def test_pulses_and_losses_are_those_of_the_liouville_equation(self):
        sequence = sequence_of((0, 2.8, 0.3), (33, 2.3, 1.6))
        for row, curve in zip(RATES, curves(sequence), strict=True):
            names = "decay_rate", "relaxation_rate", "equilibrium_mz"
            losses = dict(zip(names, row, strict=True))
            expected = liouville_curve(FREQUENCIES, TABLE, (0, 0, 0), sequence, **losses)
            np.testing.assert_allclose(curve, expected, atol=self.TOLERANCE)


class TestWithCouplings:
    """Beside :mod:`tests.physics.test_convergence`, which has the order and the reference."""

    COUPLINGS = (0.16, 0.1, 0.05)

    def test_a_lattice_in_equilibrium_stays_there(self):
        table = [(0.03, 0.1, 0.5), (0.03, 0.1, 0.2)]
        left, other = curves(sequence_of((0, 0.0)), self.COUPLINGS, table)
        np.testing.assert_allclose(left, np.tile([0, 0, 0.5], (N_SAMPLES, 1)), atol=1e-13)
        assert abs(other[-1, 2] - 0.5) > 0.1

    def test_no_rate_is_todays_curve_to_the_bit_whatever_is_beside_it(self):
        sequence = sequence_of((0, 1.2), (24, 2.4, math.pi / 2))
        mixed = [(0.01, 0.0, 0.4), (0.01, 0.1, 0.4), (0.01, 0.0, 0.0)]
        first, relaxing, last = curves(sequence, self.COUPLINGS, mixed)
        (plain,) = simulate_lattices(
            [FREQUENCIES], [TABLE], [self.COUPLINGS], sequence, decay_rate=0.01, step=4,
            dtype="float64",
        )  # fmt: skip
        np.testing.assert_array_equal(first, plain)
        np.testing.assert_array_equal(last, plain)
        assert np.abs(relaxing - plain).max() > 0.01

    def test_no_rate_computes_nothing_for_it(self):
        plan = Plan(DT, 1, (((5, 4),),), "averaged", 3, 3)
        rows = FREQUENCIES, np.fft.rfft2(TABLE).real, np.full(3, 0.1), 0.01, np.eye(3)[None], 1.0
        lattice = propagate.Lattice(*(jnp.asarray(row, "float32") for row in rows))

        def operations(relaxation):
            traced = jax.make_jaxpr(lambda own: propagate.record(own, timing, plan.program))
            return str(traced(lattice._replace(relaxation=relaxation)))

        timing = jax.tree.map(jnp.asarray, timing_of(plan, "float32"))
        with_rate = operations(Relaxation(jnp.float32(0.1), jnp.float32(0.2)))
        assert "expm1" in with_rate
        assert "expm1" not in operations(None)
        assert len(operations(None)) < len(with_rate)


SMALL = {"preset": "challenge2020", "n_edge": 8, "seed": 5}


class TestDataSets:
    """`Simulation`, and stores."""

    def test_the_settings_reach_the_curves_and_the_choice_of_steps(self):
        relaxing = Simulation(**SMALL, step=8, relaxation_rate=1e-3, equilibrium_mz=0.5)
        signal = simulate_curves(relaxing, range(2)).signal
        # 75 µs of 2πR₁ = 6e-3/µs, from about 0.
        assert (signal[:, -1, 2] > 0.15).all()
        fast = Simulation(**SMALL, relaxation_rate=0.02)
        plain = planned_evaluations(Simulation(**SMALL), [0])
        assert planned_evaluations(fast, [0]) > plain

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"relaxation_rate": -1e-3}, r"relaxation_rate must be >= 0 MHz, but is -0\.001"),
            ({"relaxation_rate": math.nan}, "relaxation_rate must be >= 0 MHz, but is nan"),
            ({"relaxation_rate": 0.1, "equilibrium_mz": 1}, "equilibrium_mz must be >= -0.5 and"),
            (
                {"equilibrium_mz": 0.5},
                r"equilibrium_mz must be 0 without.*but is 0\.5\. Give relax",
            ),
        ],
    )
    def test_settings_that_make_no_sense_are_refused(self, changes, message):
        with pytest.raises(InputError, match=message):
            Simulation(**changes)

    def test_a_store_begun_before_there_was_relaxation_counts_as_one_without(self, tmp_path):
        import zarr

        without, with_one = Simulation("paper"), Simulation("paper", relaxation_rate=1e-4)
        older = simulation_attributes(without)
        del older["relaxation_rate"], older["equilibrium_mz"]
        group = zarr.group(attributes=older)
        check_same_settings(tmp_path, group, without)
        with pytest.raises(
            InputError, match=r"has relaxation_rate = 0\.0 and 0\.0001 is asked for"
        ):
            check_same_settings(tmp_path, group, with_one)
        newer = zarr.group(attributes=simulation_attributes(with_one))
        check_same_settings(tmp_path, newer, with_one)
        with pytest.raises(
            InputError, match=r"has relaxation_rate = 0\.0001 and 0\.0 is asked for"
        ):
            check_same_settings(tmp_path, newer, without)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([(0, -0.1, 0)], r"relaxation_rate must be >= 0 MHz, but is -0\.1\. Spins only approach"),
        ([(0, np.inf, 0)], "relaxation_rate must be finite, but holds inf"),
        ([(0, 0.1, np.nan)], "equilibrium_mz must be finite, but holds nan"),
        ([(0, 0.1, 0.2), (0, 0.1, -0.6)], r"equilibrium_mz must be from -1/2.*but is -0\.6\. Give"),
    ],
)
def test_numbers_that_cannot_be_used(table, message):
    with pytest.raises(InputError, match=message):
        curves(sequence_of((0, 1.0)), table=table)


def test_another_number_of_them_than_of_curves_is_refused():
    with pytest.raises(InputError, match=r"equilibrium_mz must have shape \(1,\) to match.*\(2,\)"):
        simulate_lattices(
            [FREQUENCIES], [TABLE], [(0, 0, 0)], sequence_of((0, 1.0)), equilibrium_mz=[0, 0]
        )

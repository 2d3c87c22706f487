"""A receiver whose carrier, phase and noise are drawn anew for every curve."""

import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln

N, N_TIME, DT = 300, 60, 0.16


@pytest.fixture(scope="module")
def dataset():
    time = DT * np.arange(N_TIME)
    M = 0.5 * np.exp(-time / 9 + 0.3j * time) * np.ones((2, N, 1))
    dims = ("protocol", "curve", "time")
    return xr.Dataset(
        {"mx": (dims, M.real.astype(np.float32)), "my": (dims, M.imag.astype(np.float32))},
        {"time": time, "curve": np.arange(N), "protocol": ["60deg", "120deg"]},
        {"echo_index": 30, "dt_us": DT},
    )


def signal(dataset):
    return dataset["mx"].values + 1j * dataset["my"].values


def test_carriers_have_the_spread_and_phases_are_anywhere(dataset):
    turned = signal(ln.unknown_receiver(dataset, carrier_spread=0.02)) / signal(dataset)
    advance = np.angle(turned[0, :, 1] / turned[0, :, 0]) / (2 * np.pi * DT)
    assert abs(advance.mean()) < 4 * 0.02 / np.sqrt(N)
    assert advance.std() == pytest.approx(0.02, rel=4 / np.sqrt(2 * N))
    assert abs(turned[0, :, 0].mean()) < 4 / np.sqrt(N)
    np.testing.assert_allclose(np.abs(turned), 1, atol=1e-5)


def test_one_curve_has_one_receiver_in_all_of_its_protocols(dataset):
    turned = signal(ln.unknown_receiver(dataset, carrier_spread=0.02)) / signal(dataset)
    np.testing.assert_allclose(turned[0], turned[1], atol=1e-5)


def test_the_draws_of_a_curve_depend_on_no_other_curve(dataset):
    ways = {"carrier_spread": 0.01, "snr": 20, "seed": 3}
    whole, some = ln.unknown_receiver(dataset, **ways), dataset.isel(curve=[7, 2])
    np.testing.assert_array_equal(
        signal(ln.unknown_receiver(some, **ways)), signal(whole.isel(curve=[7, 2]))
    )
    other = ln.unknown_receiver(some, **ways | {"seed": 4})
    assert not np.allclose(signal(other), signal(whole.isel(curve=[7, 2])), atol=0.05)


def test_settings_are_an_attribute_and_without_any_nothing_changes(dataset):
    found = ln.unknown_receiver(dataset, carrier_spread=0.01, snr=20, seed=3).attrs["receiver"]
    assert found == {"carrier_spread_mhz": 0.01, "snr": 20, "window": "full", "seed": 3}
    xr.testing.assert_identical(ln.unknown_receiver(dataset), dataset)


def test_noise_alone_leaves_carrier_and_phase_known(dataset):
    np.testing.assert_array_equal(
        signal(ln.unknown_receiver(dataset, snr=20, seed=3)),
        signal(ln.add_noise(dataset, 20, seed=3)),
    )


@pytest.mark.parametrize(
    ("ways", "reason"),
    [({"carrier_spread": -1}, "carrier_spread must be"), ({"seed": -1, "snr": 3}, "seed must be")],
)
def test_settings_are_checked_by_name(dataset, ways, reason):
    with pytest.raises(ln.InputError, match=reason):
        ln.unknown_receiver(dataset, **ways)

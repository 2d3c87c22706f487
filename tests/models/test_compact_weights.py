"""Networks in few bits make what they made."""

import numpy as np
import pytest

from latent_nmr.errors import InputError
from latent_nmr.models import compact_weights
from latent_nmr.models.compact_weights import NOISE, STEPS, compact_layers, rounded
from latent_nmr.models.decoder_json import Layer, network_layers

SLOPE = 0.01
N_INPUTS, N_OUTPUTS = 60, 40


@pytest.fixture
def smooth():
    """Rows in which neighbouring columns are nearly equal, as samples of a curve are."""
    draw, time = np.random.default_rng(0), np.linspace(0, 1, N_INPUTS)
    centres, widths = draw.uniform(0, 1, (2, 300, 1))
    return np.exp(-(((time - centres) / (0.1 + 0.2 * widths)) ** 2))


@pytest.fixture
def kernel():
    return np.random.default_rng(1).normal(size=(N_INPUTS, N_OUTPUTS)).astype(np.float32)


def nearest_rounding(kernel):
    scale = np.sqrt(np.mean(kernel.astype(float) ** 2, axis=0)) / STEPS
    return np.round(kernel / scale) * scale


class TestRounded:
    """Whole numbers whose errors take each other off what the layer makes."""

    def test_products_with_smooth_rows_change_far_less_than_by_rounding_alone(self, smooth, kernel):
        levels, bias, scale = rounded(kernel, np.zeros(N_OUTPUTS), smooth)
        assert (levels.dtype, bias.dtype, scale.dtype) == (np.int16, np.float32, np.float32)
        own = np.abs(smooth @ (levels * scale.astype(float)) - smooth @ kernel).max()
        alone = np.abs(smooth @ nearest_rounding(kernel) - smooth @ kernel).max()
        assert own < alone / 4

    def test_of_white_rows_it_is_rounding_alone(self, kernel):
        white = np.eye(N_INPUTS) * np.sqrt(N_INPUTS)
        levels, _, scale = rounded(kernel, np.zeros(N_OUTPUTS), white)
        np.testing.assert_allclose(levels * scale, nearest_rounding(kernel), rtol=1e-5, atol=1e-6)

    def test_noise_on_the_rows_adds_no_more_than_a_few_steps(self, smooth, kernel):
        levels, _, scale = rounded(kernel, np.zeros(N_OUTPUTS), smooth)
        noise = np.random.default_rng(2).normal(scale=NOISE, size=(1000, N_INPUTS))
        spread = np.std(noise @ (levels * scale.astype(float) - kernel))
        # Rounding alone: a step of 1/STEPS has the standard deviation 1/(STEPS √12).
        assert spread < 8 * NOISE * np.sqrt(N_INPUTS / 12) / STEPS

    def test_the_errors_of_a_block_are_left_to_all_rows_that_follow(
        self, smooth, kernel, monkeypatch
    ):
        found = []
        for block in (7, 10 * N_INPUTS):
            monkeypatch.setattr(compact_weights, "BLOCK", block)
            found.append(rounded(kernel, np.zeros(N_OUTPUTS), smooth)[0])
        # Equal but for sums that round to another last bit, where a weight is half-way.
        assert np.mean(found[0] != found[1]) < 0.01

    def test_a_column_of_noughts_stays_one(self, smooth, kernel):
        kernel[:, 3] = 0
        levels, _, scale = rounded(kernel, np.zeros(N_OUTPUTS), smooth)
        assert not levels[:, 3].any()
        assert np.isfinite(scale).all()


class TestCompactLayers:
    """Whole networks."""

    @pytest.fixture
    def layers(self, kernel):
        draw = np.random.default_rng(3)
        shapes = [(N_OUTPUTS, 8), (8, N_INPUTS)]
        drawn = [kernel, *(draw.normal(size=shape) for shape in shapes)]
        # Sums keep the size of their terms; rounding changes them by 1/(STEPS √12) of it.
        kernels = [(own / np.sqrt(len(own))).astype(np.float32) for own in drawn]
        names = ("leaky_relu", "gelu", "sigmoid")
        biases = [draw.normal(size=own.shape[1]).astype(np.float32) for own in kernels]
        return [Layer(*own) for own in zip(names, kernels, biases, strict=True)]

    @pytest.mark.parametrize(("large", "kinds"), [(1e9, "eee"), (1000, "hee"), (0, "hhh")])
    def test_rows_come_out_as_of_the_network_itself(self, layers, smooth, large, kinds):
        found, rows = compact_layers(layers, smooth, SLOPE, large=large)
        assert "".join(own.kernel.dtype.char for own in found) == kinds
        exact, wanted = compact_layers(layers, smooth, SLOPE, large=int(1e9))
        np.testing.assert_allclose(rows, wanted, rtol=0, atol=0.02)
        assert [own.activation for own in exact] == ["leaky_relu", "gelu", "sigmoid"]

    def test_a_model_s_own_layers_make_its_curves(self, fitted):
        points = np.random.default_rng(4).normal(size=(50, 2))
        _, curves = compact_layers(network_layers(fitted)["decoder"], points, SLOPE)
        np.testing.assert_allclose(curves, fitted.inverse_transform(points), rtol=0, atol=1e-3)

    def test_weights_beyond_half_precision_are_refused(self, layers, smooth):
        layers[1] = layers[1]._replace(kernel=layers[1].kernel * 1e6)
        with pytest.raises(InputError, match="weights must be below 65504 in size"):
            compact_layers(layers, smooth, SLOPE)

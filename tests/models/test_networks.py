"""The network: published layer sizes, and the numbers they give."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from latent_nmr.models.networks import (
    Architecture,
    graph_of,
    initial_state,
    layer_sizes,
    match_data,
    state_of,
    weight_shapes,
    weights_of,
)

SMALL = Architecture(n_features=7, hidden_layer_sizes=(5, 3), n_components=2)


def random_weights(architecture, seed=0):
    """Weights with biases away from zero, float32."""
    rng = np.random.default_rng(seed)
    shapes = weight_shapes(architecture)
    return {name: rng.normal(0, 0.5, shape).astype("f4") for name, shape in shapes.items()}


def layer(weights, name, x):
    return x @ weights[f"{name}.kernel"].astype("f8") + weights[f"{name}.bias"].astype("f8")


def leaky(x):
    return np.where(x > 0, x, 0.01 * x)


class TestArchitecture:
    """Sizes of every layer, from the paper."""

    @pytest.mark.parametrize(
        ("n_features", "hidden"),
        [(1882, (512, 128, 16)), (400, (128, 32, 16)), (99, (128, 32, 16))],
    )
    def test_a_width_gets_the_published_layers_mirrored_in_the_decoder(self, n_features, hidden):
        assert layer_sizes(n_features, None) == hidden
        shapes = weight_shapes(Architecture(n_features, hidden, 2))
        a, b, c = hidden
        kernels = {name: s for name, s in shapes.items() if name.endswith("kernel")}
        assert kernels == {
            "encoder.layers.0.kernel": (n_features, a),
            "encoder.layers.1.kernel": (a, b),
            "encoder.layers.2.kernel": (b, c),
            "mean_head.kernel": (c, 2),
            "log_variance_head.kernel": (c, 2),
            "decoder.layers.0.kernel": (2, c),
            "decoder.layers.1.kernel": (c, b),
            "decoder.layers.2.kernel": (b, a),
            "output.kernel": (a, n_features),
        }

    def test_requested_layers_win(self):
        assert layer_sizes(1882, (8, 4)) == (8, 4)


class TestForwardPass:
    """The network against the same sums written in NumPy, float64."""

    def test_encoder_and_decoder_are_leaky_relu_layers_linear_heads_and_a_sigmoid(self):
        weights, rng = random_weights(SMALL), np.random.default_rng(1)
        x, z = rng.normal(size=(4, 7)), rng.normal(size=(4, 2))
        hidden = leaky(layer(weights, "encoder.layers.0", x))
        hidden = leaky(layer(weights, "encoder.layers.1", hidden))
        back = leaky(layer(weights, "decoder.layers.0", z))
        back = leaky(layer(weights, "decoder.layers.1", back))
        logits = layer(weights, "output", back)

        model = nnx.merge(graph_of(SMALL), state_of(SMALL, weights))
        mean, log_variance = model.encode(jnp.asarray(x, jnp.float32))
        # Sums of at most seven float32 products of size one.
        tolerance = {"rtol": 1e-5, "atol": 1e-6}
        np.testing.assert_allclose(mean, layer(weights, "mean_head", hidden), **tolerance)
        expected = layer(weights, "log_variance_head", hidden)
        np.testing.assert_allclose(log_variance, expected, **tolerance)
        decoded = model.decode(jnp.asarray(z, jnp.float32))
        np.testing.assert_allclose(decoded, 1 / (1 + np.exp(-logits)), **tolerance)

    def test_named_weights_round_trip(self):
        weights = random_weights(SMALL)
        back = weights_of(state_of(SMALL, weights))
        assert back.keys() == weights.keys()
        assert all((back[name] == weights[name]).all() for name in weights)


class TestMatchData:
    """Fresh weights fitted to the scale of the data."""

    def test_the_first_layer_sees_centred_rows_and_the_decoder_starts_at_the_mean(self):
        rows = jnp.asarray(np.random.default_rng(0).uniform(0.3, 0.5, (50, 7)), jnp.float32)
        fresh = initial_state(SMALL, jax.random.key(0))
        model = nnx.merge(graph_of(SMALL), match_data(graph_of(SMALL), fresh, rows))
        before = model.encoder.layers[0](rows)
        np.testing.assert_allclose(before.mean(axis=0), 0, atol=1e-5)
        # LeCun-normal kernels turn rows of unit variance into units of variance about one.
        assert 0.2 < float(before.var()) < 5
        np.testing.assert_allclose(
            nnx.sigmoid(model.output.bias[...]), rows.mean(axis=0), rtol=1e-5
        )

    def test_constant_data_and_data_outside_the_unit_interval_stay_finite(self):
        for value in (0.0, 1.0, -3.0):
            rows = jnp.full((4, 7), value)
            state = match_data(graph_of(SMALL), initial_state(SMALL, jax.random.key(0)), rows)
            assert all(np.isfinite(array).all() for array in weights_of(state).values())

"""The two published networks: every weight, and the function they compute."""

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
from tests.models import reference

FULL = {
    "encoder.layers.0": (1882, 512),
    "encoder.layers.1": (512, 128),
    "encoder.layers.2": (128, 16),
    "mean_head": (16, 2),
    "log_variance_head": (16, 2),
    "decoder.layers.0": (2, 16),
    "decoder.layers.1": (16, 128),
    "decoder.layers.2": (128, 512),
    "output": (512, 1882),
}
ECHO = {
    "encoder.layers.0": (400, 128),
    "encoder.layers.1": (128, 32),
    "encoder.layers.2": (32, 16),
    "mean_head": (16, 2),
    "log_variance_head": (16, 2),
    "decoder.layers.0": (2, 16),
    "decoder.layers.1": (16, 32),
    "decoder.layers.2": (32, 128),
    "output": (128, 400),
}
PUBLISHED = pytest.mark.parametrize(
    ("n_features", "layers"), [(1882, FULL), (400, ECHO)], ids=["full", "echo"]
)


class TestPublished:
    """1882→512→128→16→(2, 2) and 400→128→32→16→(2, 2), and back."""

    @PUBLISHED
    def test_there_are_these_kernels_and_biases_and_no_other_weight(self, n_features, layers):
        architecture = Architecture(n_features, layer_sizes(n_features, None), 2)
        weights = weights_of(initial_state(architecture, jax.random.key(0)))
        expected = {f"{name}.kernel": shape for name, shape in layers.items()}
        expected |= {f"{name}.bias": shape[1:] for name, shape in layers.items()}
        assert {name: array.shape for name, array in weights.items()} == expected

    @PUBLISHED
    def test_the_network_is_its_numpy_twin(self, n_features, layers):
        architecture = Architecture(n_features, layer_sizes(n_features, None), 2)
        weights = reference.random_weights(weight_shapes(architecture))
        rng = np.random.default_rng(1)
        x, z = rng.random((5, n_features)), rng.normal(size=(5, 2))
        with jax.enable_x64(True):
            model = nnx.merge(graph_of(architecture), state_of(architecture, weights))
            found = (*model.encode(jnp.asarray(x)), model.decode(jnp.asarray(z)))
        # Signals of order one through sums of n terms: an error of at most n roundings each.
        tolerance = len(layers) * n_features * np.finfo(np.float64).eps
        for array, expected in zip(
            found, (*reference.encode(weights, x), reference.decode(weights, z)), strict=True
        ):
            assert array.dtype == np.float64
            np.testing.assert_allclose(array, expected, rtol=0, atol=tolerance)

    def test_transform_and_its_inverse_are_the_twins_encoder_and_decoder(self, fitted, curves):
        mean, log_variance = reference.encode(fitted.weights_, curves)
        # Float32 sums of 24 terms, of weights that training made up to ten in size.
        tolerance = 24 * 10 * np.finfo(np.float32).eps
        for found, expected in (
            (fitted.transform(curves), mean),
            (fitted.transform_std(curves), np.exp(log_variance / 2)),
            (fitted.inverse_transform(mean), reference.decode(fitted.weights_, mean)),
            (fitted.reconstruct(curves), reference.decode(fitted.weights_, mean)),
        ):
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


class TestStart:
    """The network before its first step."""

    def test_the_centre_of_latent_space_decodes_to_the_mean_curve(self, curves):
        architecture = Architecture(24, (16, 8), 2)
        graph = graph_of(architecture)
        state = match_data(graph, initial_state(architecture, jax.random.key(0)), curves)
        weights = weights_of(state)
        centre = reference.decode(weights, np.zeros((1, 2)))[0]
        mean = curves.mean(axis=0)
        # A float32 logit of up to 7 is off by 7 roundings, and a sigmoid is flatter than 1/4.
        expected = np.clip(mean, 1e-3, 1 - 1e-3)
        np.testing.assert_allclose(centre, expected, rtol=0, atol=1e-6)

    def test_the_first_layer_sees_centred_rows_of_unit_variance(self, curves):
        architecture = Architecture(24, (16, 8), 2)
        fresh = initial_state(architecture, jax.random.key(0))
        kernel = weights_of(fresh)["encoder.layers.0.kernel"].copy()
        matched = weights_of(match_data(graph_of(architecture), fresh, curves))
        centred = curves - curves.mean(axis=0, dtype=np.float64)
        expected = centred / np.sqrt(centred.var(axis=0).mean()) @ kernel
        # Float32 sums of 24 terms of order ten.
        np.testing.assert_allclose(
            reference.dense(matched, "encoder.layers.0", curves),
            expected,
            rtol=0,
            atol=24 * 10 * np.finfo(np.float32).eps,
        )

    def test_the_weights_given_are_left_alone(self, curves):
        architecture = Architecture(24, (16, 8), 2)
        fresh = initial_state(architecture, jax.random.key(0))
        before = {name: array.copy() for name, array in weights_of(fresh).items()}
        match_data(graph_of(architecture), fresh, curves)
        for name, array in weights_of(fresh).items():
            np.testing.assert_array_equal(array, before[name])

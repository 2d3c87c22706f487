"""Order and sign of latent axes, folded into the weights.

A VAE's axes come out in any order and with either sign; both can be changed without changing
a single decoded curve or any loss, because the prior is symmetric.
"""

from collections.abc import Mapping

import numpy as np

from latent_nmr.models.networks import Weights

# Weights whose last dimension counts latent axes, and whether a sign turns them: a flipped
# axis has a flipped mean and the same variance.
HEADS = {
    "mean_head.kernel": True,
    "mean_head.bias": True,
    "log_variance_head.kernel": False,
    "log_variance_head.bias": False,
}
DECODER_INPUT = "decoder.layers.0.kernel"


def orient(weights: Mapping[str, np.ndarray], order: np.ndarray, signs: np.ndarray) -> Weights:
    """Return weights whose axis k is the old axis ``order[k]`` times its sign.

    Parameters
    ----------
    weights : mapping of ndarray
        By dotted name, see `latent_nmr.models.networks.weights_of`.
    order : ndarray of int, shape (n_components,)
        Old axis of each new one.
    signs : ndarray, shape (n_components,)
        +1 or -1 for each old axis.
    """
    signs = np.asarray(signs, np.float32)
    turned = dict(weights)
    for name, is_signed in HEADS.items():
        turned[name] = (weights[name] * signs if is_signed else weights[name])[..., order]
    turned[DECODER_INPUT] = (weights[DECODER_INPUT] * signs[:, None])[order]
    return turned

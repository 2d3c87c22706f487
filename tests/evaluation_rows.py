"""Rows of an evaluation as they come out of one, for tests of what is said about them."""

from latent_nmr.report.score_table import Row

SEEDS = (0, 1, 2, 3, 4)
# Deviations from the mean over five seeds, in units of the sample deviation: they add to 0.
PATTERN = (-1.2, 0.4, 1.1, -0.6, 0.3)
DEVIATION = (sum(step**2 for step in PATTERN) / 4) ** 0.5
NAMES = ("r2_W", "r2_alpha_x", "r2_alpha_z", "r2_L", "f1_macro")
EXPECTED_FLOOR = {name: -0.067 for name in NAMES if name != "f1_macro"} | {"f1_macro": 0.5}
# Method and dimension: means of NAMES and their deviation.
MEANS = {
    ("vae", 1): ((0.421, 0.655, 0.048, 0.274, 0.604), 0.012),
    ("vae", 2): ((0.753, 0.932, 0.254, 0.590, 0.789), 0.004),
    ("vae", 3): ((0.781, 0.949, 0.361, 0.633, 0.808), 0.006),
    ("vae", 4): ((0.788, 0.954, 0.392, 0.647, 0.813), 0.005),
    ("vae", 8): ((0.786, 0.953, 0.388, 0.645, 0.812), 0.007),
    ("pca", 1): ((0.463, 0.702, 0.031, 0.236, 0.588), 0.0),
    ("pca", 2): ((0.772, 0.908, 0.367, 0.549, 0.777), 0.0),
    ("pca", 3): ((0.793, 0.931, 0.430, 0.618, 0.801), 0.0),
    ("pca", 4): ((0.802, 0.942, 0.451, 0.650, 0.810), 0.0),
    ("pca", 8): ((0.801, 0.948, 0.449, 0.657, 0.811), 0.0),
    ("umap", 1): ((0.580, 0.801, 0.090, 0.330, 0.640), 0.015),
    ("umap", 2): ((0.751, 0.921, 0.301, 0.552, 0.790), 0.006),
    ("umap", 3): ((0.762, 0.929, 0.333, 0.571, 0.794), 0.005),
    ("umap", 4): ((0.764, 0.931, 0.338, 0.575, 0.796), 0.005),
    ("umap", 8): ((0.765, 0.932, 0.341, 0.577, 0.795), 0.004),
    ("kmeans", 1): ((0.198, 0.402, -0.012, 0.105, 0.548), 0.001),
    ("kmeans", 2): ((0.701, 0.868, 0.244, 0.463, 0.741), 0.003),
    ("kmeans", 3): ((0.776, 0.915, 0.361, 0.561, 0.780), 0.004),
    ("kmeans", 4): ((0.789, 0.929, 0.402, 0.607, 0.797), 0.004),
    ("kmeans", 8): ((0.799, 0.944, 0.446, 0.655, 0.812), 0.003),
}
CEILING = ((0.854, 0.970, 0.550, 0.700, 0.840), 0.002)
FLOOR = ((-0.067, -0.069, -0.062, -0.071, 0.498), 0.017)


def spread(mean, deviation, seeds=SEEDS):
    """Values, one per seed, of about this mean and deviation."""
    steps = PATTERN[: len(seeds)] if len(seeds) > 1 else (0.0,)
    return tuple(mean + step * deviation / DEVIATION for step in steps)


def scored(method, n_components, means, deviation, *, seeds=SEEDS, role="method", **more):
    """A row of the scores `NAMES`; more scores by name, as mean and deviation."""
    cells = dict(zip(NAMES, ((mean, deviation) for mean in means), strict=True)) | more
    scores = {name: spread(*cell, seeds) for name, cell in cells.items()}
    seconds = spread(3.0, 0.2, seeds) if role == "method" else ()
    return Row(method, n_components, tuple(seeds), scores, role, seconds)


def extra_scores(method, n_components):
    """Scores beside NAMES, made up of the first."""
    means, deviation = MEANS[method, n_components]
    distance, f1 = means[3], means[4]
    more = {
        "r2_L_power": (distance + 0.2, deviation),
        "r2_L_others": (distance - 0.24, deviation),
        "f1_binary": (f1 - 0.06, deviation),
        "f1_weighted": (f1 + 0.02, deviation),
        "f1_kernels_macro": (f1 - 0.26, deviation),
        "silhouette_kernel": (0.02, deviation),
        "adjusted_rand": (0.1 * f1, deviation),
        "trustworthiness": (0.93 + 0.008 * n_components, deviation / 4),
        "continuity": (0.95 + 0.005 * n_components, deviation / 4),
    }
    for axis in range(1, n_components + 1):
        more[f"rho_{axis}_W"] = (0.8 / axis, deviation)
        more[f"rho_{axis}_L"] = (0.3 / axis, deviation)
    if method in ("vae", "pca"):
        more["rms"] = (0.02 / n_components, deviation / 20)
    if method == "vae":
        more["active_axes"] = (min(n_components, 3.4), 0.4 if n_components > 3 else 0.0)
    return more


def realistic_rows():
    """A ceiling, four methods and the floor at five dimensions; PCA and the ceiling of one seed."""
    rows = [scored("forest", None, *CEILING, seeds=(0,), role="ceiling")]
    for (method, n_components), (means, deviation) in MEANS.items():
        more = extra_scores(method, n_components)
        seeds = (0,) if method == "pca" else SEEDS
        rows.append(scored(method, n_components, means, deviation, seeds=seeds, **more))
    floors = [scored("shuffled", n, *FLOOR, role="floor") for n in (1, 2, 3, 4, 8)]
    return rows + floors

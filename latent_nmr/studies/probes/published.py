"""Published scores, for comparison only: nothing is tuned to them.

[P]: A. Rao et al., Phys. Rev. Research 5, 043098 (2023). Its F1 are of the power law against the
rest; it does not say which average it takes.
"""

# By classifier: F1 on all curves.
PAPER_F1 = {
    "logistic": 0.795,
    "knn": 0.793,
    "linear_svm": 0.796,
    "kernel_svm": 0.69,
    "sgd": 0.79,
    "tree": 0.756,
    "forest": 0.82,
}
# Within each bin of W: "about".
PAPER_F1_IN_BINS = 0.9
# R² by target and group of kernels: "about", and for L "above".
PAPER_R2 = {("W", "all"): 0.8, ("alpha_x", "all"): 0.9, ("L", "power"): 0.8}

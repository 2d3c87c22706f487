"""What an echo data set holds: its labels and signals, by name."""

# Label: (unit, what it is). All are per curve; `kernel` is a string, the rest are numbers.
LABELS = {
    "alpha_x": ("MHz", "coupling along x"),
    "alpha_y": ("MHz", "coupling along y"),
    "alpha_z": ("MHz", "coupling along z"),
    "W": ("MHz", "coupling strength α_x + α_y + α_z"),
    "L": ("lattice constants", "coupling length Σ r K / Σ K"),
    "kernel": ("", "coupling law: gaussian, power or rkky"),
    "kernel_parameter": ("lattice constants (gaussian, rkky), 1 (power)", "ξ, γ or p"),
    "decay_rate": ("MHz", "dephasing rate R of exp(-2πRt)"),
}
# What the ML4SCI challenge calls its parameters; only sets of the challenge have them.
CHALLENGE_LABELS = {
    "challenge_alpha": ("1", "the challenge's coupling α"),
    "challenge_xi": ("lattice constants", "the challenge's length ξ"),
    "challenge_p": ("1", "the challenge's exponent p"),
    "challenge_d": ("1", "the challenge's dephasing exponent d"),
    "challenge_theta": ("degrees", "angle θ of the first pulse; the second is 2θ"),
}
ALL_LABELS = LABELS | CHALLENGE_LABELS
# What is known of a curve beside its labels: nothing that a study would learn.
QUALITIES = {"error_estimate": ("1", "estimated largest error of any component of M")}
# Which material a curve is of, and which of its repeats; only sets with repeats have them. Data of
# other origin may have the first alone, as numbers or text: studies keep a material's curves
# together.
MATERIAL, REPEAT = "material", "repeat"
PLACES = {
    MATERIAL: ("", "number of the material: curves of one have the same parameters"),
    REPEAT: ("", "number of the repeat of its material"),
}
PER_CURVE = ALL_LABELS | QUALITIES | PLACES
SIGNALS = {"mx": "mean of s^x over the sites", "my": "mean of s^y over the sites"}
LONGITUDINAL = {"mz": "mean of s^z over the sites"}
ALL_SIGNALS = SIGNALS | LONGITUDINAL
MAGNITUDE = {"magnitude": "length of the mean transverse spin"}

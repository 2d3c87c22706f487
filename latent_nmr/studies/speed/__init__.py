"""How fast this machine simulates, trains and embeds, beside the arithmetic that must be done.

Each function returns plain values, times in seconds. `scripts/benchmark_*` put the same work in
PyTorch beside them.
"""

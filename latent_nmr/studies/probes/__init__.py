"""What supervised models predict from echoes: kernel, W, L and couplings, on held-out curves."""

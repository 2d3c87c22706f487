"""Figures of echoes, latent maps and scores; public as `ln.plots`."""

"""The reference set that comes with the package."""

import xarray as xr

from latent_nmr.data.io import open_echoes
from latent_nmr.shipped import REFERENCE, shipped_path


def load_reference(n_curves: int | None = None) -> xr.Dataset:
    """Load the reference set: |M(t)| and labels of 3000 simulated echoes.

    They are the first of the 15,000 curves of preset `paper` with stratified ν and seed 0, kept
    to 16 bits. `latent-nmr train-vae` trains on them by default.

    Parameters
    ----------
    n_curves : int, optional
        Number of curves to read, from the first; all by default.

    Returns
    -------
    xarray.Dataset
        `magnitude` (curve, time), dimensionless, at most 1/2; `time` in µs; labels per curve.

    Raises
    ------
    InputError
        If `n_curves` is more than 3000, or the file is not the one that was published.

    See Also
    --------
    open_echoes : Read any data set; it reads this one under the name `reference`.
    load_pretrained : Models fitted on more curves of the same kind.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> dict(ln.load_reference(n_curves=100).sizes)
    {'curve': 100, 'time': 1882}
    """
    return open_echoes(shipped_path("data", REFERENCE), n_curves)

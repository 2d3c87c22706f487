"""Pictures small enough for a repository or a page: PNG files of a limited size."""

import io

from PIL import Image

MAX_BYTES = 300_000


def shrink_png(content: bytes, max_bytes: int = MAX_BYTES) -> bytes:
    """A PNG file of at most `max_bytes`: as it is, with a palette, or with fewer dots too."""
    if len(content) <= max_bytes:
        return content
    whole = Image.open(io.BytesIO(content))
    dots, whole = whole.info.get("dpi", (200, 200)), whole.convert("RGB")
    scale = 1.0
    while True:
        size = [max(1, round(length * scale)) for length in whole.size]
        image = whole.resize(size, Image.Resampling.LANCZOS) if scale < 1 else whole
        shrunk = io.BytesIO()
        # Colours that cover the range, then means, until 1 pixel in 200 changes its colour: a
        # colour bar stays a colour bar. Dithering would cost more than it improves.
        palette = image.quantize(
            256,
            Image.Quantize.MAXCOVERAGE,
            kmeans=1 + size[0] * size[1] // 200,
            dither=Image.Dither.NONE,
        )
        palette.save(shrunk, "png", optimize=True, dpi=[dot * scale for dot in dots])
        if shrunk.tell() <= max_bytes or max(size) == 1:
            return shrunk.getvalue()
        scale *= 0.9

"""Pictures of any kind as a person sees them: upright, in sRGB, on white, made smaller before memory gets short."""

import io
import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

DEPTHS = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""White in images of floats, and of 8, 10, 12, 14 and 16 bits."""
FAINT = 16.0
"""A brightest level between the first two of DEPTHS that is rather white itself."""
BAND = 4_000_000
"""Pixels that are converted at a time."""
WHITE_IS_ZERO = 0
"""Photometric interpretation of a TIFF whose greys run the other way."""
TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's orientation to what takes it back; from 5 on the picture lies on its side."""


def seen(image: Image.Image, side: int) -> tuple[Image.Image, bool]:
    """The picture turned as its file says, at least `side` pixels long where it was, and whether it lay on its side."""
    image.load()
    profile, turn = image.info.get("icc_profile"), _orientation(image)
    page = _shrunk(image, max(1, max(image.size) // side))
    page = _srgb(_on_white(page), profile)
    return (page.transpose(TRANSPOSED[turn]) if turn in TRANSPOSED else page), turn >= 5


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation; a TIFF is turned by Pillow as it is loaded, and has none left."""
    try:
        turn = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken metadata does not spoil the picture
        return 1
    return turn if turn in TRANSPOSED else 1


def _shrunk(image: Image.Image, factor: int) -> Image.Image:
    """The picture in 8 bits a channel and 1/`factor` of its size, band by band."""
    levels = _Levels(image) if _is_deep(image) else None
    if factor == 1 and not levels:
        return _plain(image)
    strips = ((levels.grey(band) if levels else _plain(band)).reduce(factor) for band in _bands(image, factor))
    first = next(strips)
    page = Image.new(first.mode, (first.width, -(-image.height // factor)))
    top = 0
    for strip in itertools.chain([first], strips):
        page.paste(strip, (0, top))
        top += strip.height
    return page


def _bands(image: Image.Image, factor: int) -> Iterator[Image.Image]:
    """The picture in strips of whole multiples of `factor` rows, from the top."""
    height = max(1, BAND // image.width // factor) * factor
    for top in range(0, image.height, height):
        yield image.crop((0, top, image.width, min(top + height, image.height)))


def _plain(image: Image.Image) -> Image.Image:
    """Pixels that can be averaged: no palette, no single bits, transparency as a channel."""
    if image.has_transparency_data and image.mode not in ("LA", "RGBA"):
        return image.convert("LA" if image.mode == "La" else "RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGB") if image.mode in ("P", "RGBX") else image


def _is_deep(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


class _Levels:
    """Grey levels brought to 0..255 by the depth they use: the smallest usual one that holds the brightest pixel."""

    def __init__(self, image: Image.Image) -> None:
        ranges = [(levels.min(), levels.max()) for band in _bands(image, 1) if (levels := _levels(band)).size]
        self.black = min(0.0, *(float(low) for low, _ in ranges))
        brightest = max(float(high) for _, high in ranges) - self.black
        usual = next((full for full in DEPTHS if brightest <= full), brightest)
        self.white = brightest if DEPTHS[0] < brightest <= FAINT else usual
        self.negative = getattr(image, "tag_v2", {}).get(ExifTags.Base.PhotometricInterpretation) == WHITE_IS_ZERO

    def grey(self, band: Image.Image) -> Image.Image:
        """A strip of the picture, in 8 bits."""
        shares = (_levels(band) - self.black) / self.white
        return Image.fromarray(((1 - shares if self.negative else shares) * 255).round().astype(np.uint8))


def _levels(band: Image.Image) -> NDArray[np.float64]:
    return np.nan_to_num(np.asarray(band, dtype=np.float64), posinf=0, neginf=0)


def _on_white(page: Image.Image) -> Image.Image:
    """The page without its transparency."""
    if page.mode not in ("LA", "RGBA"):
        return page
    white = Image.new(page.mode.removesuffix("A"), page.size, "white")
    white.paste(page.convert(white.mode), mask=page.getchannel("A"))
    return white


def _srgb(page: Image.Image, profile: bytes | None) -> Image.Image:
    """The page's colours as a screen shows them: by its profile where that can be used."""
    if profile and page.mode in ("L", "RGB", "CMYK", "LAB"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if page.mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(source):
                return page
            target = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(page, source, target, outputMode="RGB") or page
        except (ImageCms.PyCMSError, OSError, ValueError):  # broken, or for other colours than the picture has
            return page.convert("RGB")
    return page.convert("RGB")

"""Still pictures: three slices of a volume, surfaces from their sides, a carpet of values that have no surface.

Left is left in all of them, as in the viewer.
"""

import io
from collections.abc import Callable, Sequence

import numpy as np
from nibabel.orientations import io_orientation
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from connectomedb.errors import DocumentError
from connectomedb.server.images.colours import BONE, ByteArray, greys, window

FloatArray = NDArray[np.float64]

_BACKGROUND = (0, 0, 0)
_MARGIN = 0.04
_SHADE = 0.35
"""How bright a face is that stands edge-on to the light."""
_MOST_FACES = 1_000_000
_CARPET = (320, 120)


def slices_picture(
    planes: Sequence[FloatArray],
    affine: FloatArray,
    voxel_mm: Sequence[float],
    width: int,
    paint: Callable[[FloatArray], ByteArray] | None = None,
) -> bytes:
    """Middle planes (y, z), (x, z), (x, y) of a volume's own axes → sagittal, coronal and axial, side by side, as PNG.

    Args:
        affine: voxel → mm; says which axis of the file runs where, and which way.
        voxel_mm: lengths of a voxel's edges.
        width: of the picture, in pixels; it is a third as high.
        paint: gives colours to keys of regions; greys without it.
    """
    axes = io_orientation(affine)
    if np.isnan(axes).any():
        raise DocumentError("The header's affine does not say how the volume lies. It cannot be shown.")
    where = {int(world): (own, flip < 0) for own, (world, flip) in enumerate(axes)}
    low, high = window(np.concatenate([plane.ravel() for plane in planes]))
    tile = max(width // 3, 1)
    shape = (*planes[2].shape, planes[0].shape[1])
    scale = tile / max(*(count * length for count, length in zip(shape, voxel_mm, strict=True)), 1e-6)
    sheet = Image.new("RGB" if paint else "L", (width, tile))
    smooth = Image.Resampling.NEAREST if paint else Image.Resampling.BILINEAR
    for column in range(3):
        own, _ = where[column]
        across, up = (where[world] for world in range(3) if world != column)
        plane = planes[own] if across[0] < up[0] else planes[own].T
        plane = plane[:: -1 if across[1] else 1, :: -1 if up[1] else 1]
        lengths = plane.shape[0] * voxel_mm[across[0]], plane.shape[1] * voxel_mm[up[0]]
        upright = np.flipud(plane.T)
        slice = Image.fromarray(paint(upright) if paint else greys(upright, low, high))
        _paste(sheet, slice, lengths, scale, (column * tile, tile), smooth)
    return _png(sheet)


def surfaces_picture(sides: Sequence[tuple[str, FloatArray, NDArray[np.int64], ByteArray | None]], width: int) -> bytes:
    """Surfaces from outside and from the middle of the brain, as PNG.

    Args:
        sides: hemisphere (`L` or `R`), points in mm, triangles, and the colour of each point, of each surface.
    """
    tile = max(width // (2 * len(sides)), 1)
    sheet = Image.new("RGB", (width, round(tile * 0.8)), _BACKGROUND)
    for number, (side, points, triangles, colours) in enumerate(sides):
        if len(triangles) > _MOST_FACES:
            raise DocumentError(f"The surface has {len(triangles)} faces, too many for a picture. Download the file.")
        for view in range(2):
            from_left = (side == "L") == (view == 0)
            drawn = _draw(points, triangles, colours, from_left, (tile, sheet.height))
            sheet.paste(drawn, ((2 * number + view) * tile, 0))
    return _png(sheet)


def carpet_picture(rows: FloatArray, width: int) -> bytes:
    """Values of many places (rows) in many frames (columns), as greys: what there is of a map without a surface."""
    low, high = window(rows)
    drawn = Image.fromarray(greys(rows, low, high))
    return _png(drawn.resize((width, max(width * _CARPET[1] // _CARPET[0], 1)), Image.Resampling.BOX))


def _draw(
    points: FloatArray,
    triangles: NDArray[np.int64],
    colours: ByteArray | None,
    from_left: bool,
    size: tuple[int, int],
) -> Image.Image:
    """One surface seen along x: faces that look at us, the farthest first."""
    towards = -1.0 if from_left else 1.0
    flat = np.stack([points[:, 1] * towards, points[:, 2]], axis=1)
    low, high = np.nanmin(flat, axis=0), np.nanmax(flat, axis=0)
    scale = (1 - 2 * _MARGIN) * min(size[0] / max(high[0] - low[0], 1e-6), size[1] / max(high[1] - low[1], 1e-6))
    middle = (low + high) / 2
    pixels = (flat - middle) * scale * (1.0, -1.0) + (size[0] / 2, size[1] / 2)
    corners = points[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    facing = normals[:, 0] * towards / np.where(lengths > 0, lengths, 1)
    depth = corners[:, :, 0].mean(axis=1) * towards
    shown = np.flatnonzero(np.isfinite(depth) & (facing > 0))
    shown = shown[np.argsort(depth[shown])]
    light = _SHADE + (1 - _SHADE) * facing[shown]
    plain = np.tile(np.array(BONE, np.uint8), (len(points), 1)) if colours is None else colours
    faces = (plain[triangles[shown]].mean(axis=1) * light[:, None]).astype(np.uint8)
    image = Image.new("RGB", size, _BACKGROUND)
    pen = ImageDraw.Draw(image)
    outlines = pixels[triangles[shown]].reshape(-1, 6)
    for outline, colour in zip(outlines.tolist(), faces.tolist(), strict=True):
        pen.polygon(outline, fill=tuple(colour))
    return image


def _paste(
    sheet: Image.Image,
    slice: Image.Image,
    lengths: tuple[float, float],
    scale: float,
    where: tuple[int, int],
    smooth: Image.Resampling,
) -> None:
    """Put a slice of so many mm into the middle of its square, at so many pixels per mm."""
    left, side = where
    width, height = (min(max(round(length * scale), 1), side) for length in lengths)
    drawn = slice.resize((width, height), smooth)
    sheet.paste(drawn, (left + (side - width) // 2, (side - height) // 2))


def _png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG", optimize=False)
    return written.getvalue()

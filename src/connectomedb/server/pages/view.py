"""The viewer: one image in NiiVue, perhaps with another over it, and a still picture of it for everybody else.

    /view?file=/data/.../files/T1w/T1w_acpc_dc_restore_brain.nii.gz&over=/data/.../files/...

The address is the view. All that its script shows it asks of the REST API, as the page itself does (`routes.images`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import groupby
from posixpath import commonpath
from typing import Any
from urllib.parse import quote, unquote

from starlette.responses import Response

from connectomedb.errors import AddressError, NotFound
from connectomedb.hcp.images import HEMISPHERES, ImageKind, hemisphere_of, kind_of, mesh_of, surfaces_for
from connectomedb.server.pages.ask import ask_json, ask_rows
from connectomedb.server.pages.assets import has_asset
from connectomedb.server.pages.render import render
from connectomedb.server.routes.call import Call, Later, Way

NIIVUE, PLOT = "vendor/niivue.js", "vendor/uplot.js"
STILL_PX = 900
MOST_MAPS = 8
_FILES = "/files/"
_PARCELLATED = "*.p[cslt]*.nii"
_STRUCTURES = {"CortexLeft": "left cortex", "CortexRight": "right cortex"}
"""Names in GIFTI files, for people."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image file: the address of its resource, and its path there."""

    resource: str
    path: str
    kind: ImageKind

    @property
    def address(self) -> str:
        """Where its bytes are."""
        return f"{self.resource}{_FILES}{quote(self.path)}"

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The rest of it."""
        return self.path.rpartition("/")[0]


def get_view(call: Call) -> Response:
    """The page of one image. Raises what the REST API raises for a file that is not there, or cannot be shown."""
    image = _image(call.parameters.get("file"))
    others = _beside(call, image)
    over = next((one for one in _overlays(image, others) if one.address == _over(call)), None)
    if over is None and _over(call):
        raise NotFound("What was to lie over the image does not fit it, or is not there. Choose from the page's list.")
    facts = _describe(call, image)
    scene = {
        **_scene(call, image, facts, over, others),
        "hasNiivue": has_asset(NIIVUE),
        "hasPlot": has_asset(PLOT),
    }
    project, subject = _home(image)
    values = {
        **{"project": project, "subject": subject, "image": image, "over": over},
        **{"facts": _in_words(facts, is_parcelled=fnmatch(image.name, _PARCELLATED)), "frames": facts["frames"]},
        "scene": json.dumps(scene),
        "images": _by_folder(others),
        "labels": _labels(others),
        "overlays": _by_folder(_overlays(image, others)),
        "has_niivue": has_asset(NIIVUE),
        "still_px": STILL_PX,
    }
    return render(call, "view.html", values)


def _image(address: str) -> Image:
    """Raises AddressError for what is no address of an image."""
    resource, found, path = address.partition(_FILES)
    if not found or not path or path.endswith("/") or not resource.startswith("/"):
        raise AddressError("Asked to show no file. Write /view?file= and the address of an image: /data/.../files/...")
    path = unquote(path)
    kind = kind_of(path)
    if kind is None:
        raise AddressError(
            f"Asked to show {path.rpartition('/')[2]}, which is no image by its name. Download it instead."
        )
    return Image(resource, path, kind)


def _over(call: Call) -> str:
    wanted = call.parameters.get("over")
    return _image(wanted).address if wanted else ""


def _beside(call: Call, image: Image) -> list[Image]:
    """All images of the same resource, this one among them, in order of their paths."""
    rows = ask_rows(call, f"{image.resource}/files")
    paths = sorted({unquote(row["URI"].partition(_FILES)[2]) for row in rows})
    return [Image(image.resource, path, kind) for path in paths if (kind := kind_of(path))]


def _overlays(image: Image, others: Sequence[Image]) -> list[Image]:
    """What may lie over an image: volumes over a volume; values of the same mesh and hemisphere over a surface."""
    if image.kind is ImageKind.VOLUME:
        return [one for one in others if one.kind is ImageKind.VOLUME and one != image]
    if image.kind is ImageKind.SURFACE:
        side, mesh = hemisphere_of(image.path), mesh_of(image.path)
        fitting = [one for one in others if one.kind.lies_on_surfaces and mesh_of(one.path) == mesh]
        return [one for one in fitting if hemisphere_of(one.path) in (None, side)]
    return []


def _describe(call: Call, image: Image) -> dict[str, Any]:
    found = ask_json(call, image.address, describe="image")
    if not isinstance(found, dict) or "kind" not in found:
        raise NotFound(f"There is no image at {image.address}.")
    return found


def _scene(
    call: Call, image: Image, facts: Mapping[str, Any], over: Image | None, others: Sequence[Image]
) -> dict[str, Any]:
    """What the script shows: a volume or surfaces, and a layer on it."""
    shown = {"address": image.address, **facts}
    layer = {"address": over.address, **_describe(call, over)} if over else None
    if image.kind is ImageKind.VOLUME:
        return {"volume": shown, "surfaces": [], "layer": layer}
    if image.kind is ImageKind.SURFACE:
        side = hemisphere_of(image.path) or "L"
        surface = {"side": side, "structure": HEMISPHERES[side], "address": image.address, "name": image.name}
        return {"volume": None, "surfaces": [surface], "layer": layer}
    by_path = {one.path: one for one in others}
    surfaces = [
        {"side": side, "structure": HEMISPHERES[side], "address": by_path[path].address, "name": by_path[path].name}
        for side, path in sorted(surfaces_for(image.path, by_path).items())
    ]
    return {"volume": None, "surfaces": surfaces, "layer": shown}


def _in_words(facts: Mapping[str, Any], *, is_parcelled: bool) -> list[tuple[str, str]]:
    """What an image is, for people."""
    kind = "parcellated" if is_parcelled else facts["kind"]
    found = [("Kind", ", ".join(str(word) for word in (kind, facts.get("content")) if word))]
    if "shape" in facts:
        found.append(("Voxels", " x ".join(map(str, facts["shape"]))))
        found.append(("Size of a voxel", " x ".join(f"{mm:.3g}" for mm in facts["voxel_mm"]) + " mm"))
    if "grayordinates" in facts:
        what = "Parcels" if is_parcelled else "Grayordinates"
        found.append((what, f"{facts['grayordinates']} in {len(facts['models'])} structures"))
    if "vertices" in facts:
        where = _STRUCTURES.get(facts["structure"], facts["structure"])
        found.append(("Vertices", " of the ".join(filter(None, (str(facts["vertices"]), where)))))
    if facts["frames"] > 1:
        pace = f", one each {facts['step_s']:.4g} s" if facts.get("step_s") else ""
        found.append(("Frames", f"{facts['frames']}{pace}"))
    named = [name for name in facts.get("maps", ()) if name]
    if named:
        found.append(("Maps", ", ".join(named[:MOST_MAPS]) + (" …" if len(named) > MOST_MAPS else "")))
    return found


def _by_folder(images: Iterable[Image]) -> list[tuple[str, list[Image]]]:
    ordered = sorted(images, key=lambda one: (one.folder, one.name))
    return [(folder, list(found)) for folder, found in groupby(ordered, key=lambda one: one.folder)]


def _labels(images: Iterable[Image]) -> dict[str, str]:
    """Path → how a list calls the image: by its name, with as much of its folders as tells it from others."""
    by_name: dict[str, list[Image]] = {}
    for image in images:
        by_name.setdefault(image.name, []).append(image)
    found: dict[str, str] = {}
    for same in by_name.values():
        shared = commonpath([image.folder for image in same]) if len(same) > 1 else same[0].folder
        found |= {image.path: image.path.removeprefix(f"{shared}/") for image in same}
    return found


def _home(image: Image) -> tuple[str | None, str | None]:
    """Project and subject in the address of an image, where it names them."""
    parts = [unquote(part) for part in image.resource.split("/")]
    named = dict(zip(parts[2::2], parts[3::2], strict=False))
    project = named.get("projects")
    return project, named.get("subjects") if project else None


WAYS = (Way("GET", "/view", lambda call: Later(lambda: get_view(call))),)

"""The files of a project or a subject, folder by folder, as resources of the REST API hold them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlencode

from starlette.responses import Response

from connectomedb.errors import NotFound
from connectomedb.hcp.images import kind_of
from connectomedb.server.pages.ask import ask_rows
from connectomedb.server.pages.render import file_path, render, segment
from connectomedb.server.routes.call import Call, Way


@dataclass(frozen=True, slots=True)
class Shelf:
    """One resource, and what it hangs on: the owner itself, an experiment of it, or a scan of that."""

    address: str
    where: str
    label: str
    files: int
    size: int
    query: str


@dataclass(slots=True)
class Folder:
    """A folder: files and bytes at all depths."""

    name: str
    files: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """A file of the folder that is shown. `address` is encoded."""

    name: str
    address: str
    size: int
    digest: str

    @property
    def is_viewable(self) -> bool:
        """Whether the viewer shows such files."""
        return kind_of(self.name) is not None


@dataclass(slots=True)
class Listing:
    """What stands in one folder of a resource."""

    folders: dict[str, Folder] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)


def get_project_files(call: Call) -> Response:
    """Resources of the project itself."""
    base = f"/data/projects/{segment(call.words['project'])}"
    return _browse(call, base, _of_object(call, base, "", {}), "")


def get_subject_files(call: Call) -> Response:
    """Resources of a subject, of its experiments and of their scans."""
    project, label = call.words["project"], call.words["label"]
    base = f"/data/projects/{segment(project)}/subjects/{segment(label)}"
    shelves = _of_object(call, base, "", {})
    for row in ask_rows(call, f"{base}/experiments", columns="ID,label", limit="*"):
        experiment = f"{base}/experiments/{segment(row['label'])}"
        shelves += _of_object(call, experiment, row["label"], {"experiment": row["label"]})
    return _browse(call, base, shelves, label)


def _of_object(call: Call, base: str, name: str, query: Mapping[str, str]) -> list[Shelf]:
    """The resources of one object; of an experiment also those of its scans."""
    shelves = []
    for row in ask_rows(call, f"{base}/resources", all="true"):
        is_scan = row["category"] == "scans"
        owner = f"{base}/scans/{segment(row['cat_id'])}" if is_scan else base
        label = row["label"] or row["xnat_abstractresource_id"]
        words = {**query, **({"scan": row["cat_id"]} if is_scan else {}), "resource": label}
        where = f"{name}, scan {row['cat_id']} {row['cat_desc']}".strip() if is_scan else name
        address = f"{owner}/resources/{segment(label)}"
        shelves.append(Shelf(address, where, label, int(row["file_count"]), int(row["file_size"]), urlencode(words)))
    return shelves


def _browse(call: Call, base: str, shelves: Sequence[Shelf], subject: str) -> Response:
    names = ("experiment", "scan", "resource")
    asked = urlencode({name: call.parameters.get(name) for name in names if call.parameters.get(name)})
    folder = call.parameters.get("folder").strip("/")
    shelf = next((one for one in shelves if one.query == asked), None)
    if asked and shelf is None:
        raise NotFound("There is no such resource here, or none that you may see. List them to see what there is.")
    values = {
        "project": call.words["project"],
        "subject": subject,
        "base": base,
        "shelves": shelves,
        "shelf": shelf,
        "folder": folder,
        "trail": _trail(folder),
        "listing": _list(call, shelf, folder) if shelf else None,
    }
    return render(call, "files.html", values)


def _trail(folder: str) -> list[tuple[str, str]]:
    """The folders down to this one: name and path of each."""
    parts = folder.split("/") if folder else []
    return [(part, "/".join(parts[: number + 1])) for number, part in enumerate(parts)]


def _list(call: Call, shelf: Shelf, folder: str) -> Listing:
    """The files and folders that stand directly in a folder. Raises NotFound for one that holds nothing."""
    start = f"{folder}/" if folder else ""
    listing = Listing()
    for row in ask_rows(call, f"{shelf.address}/files"):
        path = unquote(row["URI"].partition("/files/")[2])
        if not path.startswith(start):
            continue
        name, slash, _ = path[len(start) :].partition("/")
        size = int(row["Size"])
        if slash:
            inner = listing.folders.setdefault(name, Folder(name))
            inner.files += 1
            inner.size += size
        else:
            address = f"{shelf.address}/files/{file_path(path)}"
            listing.files.append(File(name, address, size, row["digest"]))
    if not (listing.folders or listing.files) and folder:
        raise NotFound(f"There is no folder {folder!r} here. List the resource to see what there is.")
    return listing


WAYS = (
    Way("GET", "/projects/{project}/files", get_project_files),
    Way("GET", "/projects/{project}/subjects/{label}/files", get_subject_files),
)

"""A subject's page: who it is, what was measured and scanned, how its brain looks, and how to get the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from starlette.responses import Response

from connectomedb.errors import NotFound
from connectomedb.hcp.dictionary import Dictionary, FieldDefinition, Tier
from connectomedb.hcp.dictionary_file import parse_json
from connectomedb.hcp.images import kind_of
from connectomedb.server.pages.ask import ask, ask_json, ask_rows
from connectomedb.server.pages.render import file_path, render, segment
from connectomedb.server.routes.call import Call, Later, Way

MOST_PICTURES = 12
PICTURE_PX = 256
SHOWN_FIRST = (
    "T1w/T1w_acpc_dc_restore_brain.nii.gz",
    "T1w/T2w_acpc_dc_restore_brain.nii.gz",
    "MNINonLinear/T1w_restore.nii.gz",
    "MNINonLinear/aparc+aseg.nii.gz",
    "MNINonLinear/fsaverage_LR32k/*.L.midthickness.32k_fs_LR.surf.gii",
    "MNINonLinear/fsaverage_LR32k/*.R.midthickness.32k_fs_LR.surf.gii",
    "MNINonLinear/fsaverage_LR32k/*.aparc.32k_fs_LR.dlabel.nii",
    "MNINonLinear/fsaverage_LR32k/*.sulc.32k_fs_LR.dscalar.nii",
    "MNINonLinear/fsaverage_LR32k/*.MyelinMap.32k_fs_LR.dscalar.nii",
    "*Diffusion/data.nii.gz",
    "*_Atlas.dtseries.nii",
    "*_SBRef.nii.gz",
    "*T1w*.nii*",
    "*.nii*",
    "*.gii",
)
"""Which images of a subject are shown, the most telling first. Source of the names: hcp.md section 2."""

_SESSION = "SessionData"


@dataclass(frozen=True, slots=True)
class Measure:
    """One value and what it means."""

    field: FieldDefinition
    value: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session and its scans, each with the fields that it has."""

    label: str
    type: str
    date: str
    scans: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A small picture of an image, and where the image is."""

    address: str
    path: str

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The rest of it."""
        return self.path.rpartition("/")[0]


@dataclass(slots=True)
class Record:
    """What the REST API tells of a subject, sorted for people."""

    label: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    measures: dict[str, list[Measure]] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)

    @property
    def highest(self) -> Tier:
        """The highest tier of a value that is shown."""
        shown = {measure.field.tier for found in self.measures.values() for measure in found}
        return next((tier for tier in reversed(Tier) if tier in shown), Tier.OPEN)

    def values(self, name: str) -> list[str]:
        """The values of a measure, one after the other where it holds several."""
        found = [one.value for measures in self.measures.values() for one in measures if one.field.name == name]
        return [part.strip() for value in found for part in value.split(",") if part.strip()]


def get_subject(call: Call) -> Response:
    """The page. `tier=` says up to which tier measures are shown; without it only open ones are."""
    project, label = call.words["project"], call.words["label"]
    base = f"/data/projects/{segment(project)}/subjects/{segment(label)}"
    wanted = Tier.of(call.parameters.get("tier") or Tier.OPEN)
    document = ask_json(call, base, format="json", tier=wanted)["items"][0]
    record = _read(call, document, label)
    known = ask_json(call, f"{base}/advisories")
    values = {
        **{"project": project, "record": record, "wanted": wanted, "tier": record.highest},
        "tiers": _granted(call, project),
        "pictures": _pictures(call, base, record.sessions),
        "picture_px": PICTURE_PX,
        "advisories": known["advisories"],
        "qc_codes": {code: known["qc_codes"].get(code) for code in record.values("QC_Issue")},
    }
    return render(call, "subject.html", values)


def _read(call: Call, document: Mapping[str, Any], label: str) -> Record:
    """The subject's document, its experiments sorted into sessions and measures."""
    plain = {name: value for name, value in document["data_fields"].items() if name != "label"}
    record = Record(label)
    for child in document["children"]:
        for item in child["items"]:
            if child["field"] == "experiments/experiment":
                _add_experiment(call, record, item)
            elif child["field"] != "resources/resource":
                plain |= item["data_fields"]
    record.facts = [(name.replace("_", " "), str(value)) for name, value in plain.items()]
    return record


def _add_experiment(call: Call, record: Record, item: Mapping[str, Any]) -> None:
    kind, fields = str(item["meta"]["xsi:type"]), item["data_fields"]
    if kind.endswith(_SESSION):
        scans = [
            scan["data_fields"]
            for child in item["children"]
            if child["field"] == "scans/scan"
            for scan in child["items"]
        ]
        session = Session(fields["label"], kind, str(fields.get("date", "")), scans)
        record.sessions.append(session)
        return
    dictionary = _dictionary(call, kind)
    for name, value in fields.items():
        definition = dictionary.find(name)
        if definition is not None and definition.name == name:
            record.measures.setdefault(definition.category or kind, []).append(Measure(definition, _spell(value)))


def _dictionary(call: Call, data_type: str) -> Dictionary:
    """What its columns mean, as far as they are open to the caller; empty when it has none."""
    try:
        reply = ask(call, f"/data/dictionary/{segment(data_type)}")
    except NotFound:
        return Dictionary()
    return parse_json(bytes(reply.body), data_type)


def _spell(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _granted(call: Call, project: str) -> list[Tier]:
    """The tiers that the caller may look at here, when there is more than the open one."""
    if call.user.is_admin:
        return list(Tier)
    if call.user.is_guest:
        return []
    held = [Tier.of(row["tier"]) for row in ask_rows(call, "/data/grants") if row["project"] == project]
    return [tier for tier in Tier if any(grant.includes(tier) for grant in held)]


def _pictures(call: Call, base: str, sessions: Sequence[Session]) -> list[Picture]:
    """The images that tell most, from the first session that has any: the one with all files before others."""
    ordered = sorted(sessions, key=lambda session: not session.label.endswith("_CREST"))
    for session in ordered:
        at = f"{base}/experiments/{segment(session.label)}"
        found: dict[str, str] = {}
        for row in ask_rows(call, f"{at}/files"):
            path = unquote(row["URI"].partition("/files/")[2])
            if kind_of(path):
                found.setdefault(path, f"{at}/resources/{segment(row['collection'])}/files/{file_path(path)}")
        if found:
            chosen = sorted(found, key=lambda path: (_rank(path), path))
            return [Picture(found[path], path) for path in chosen[:MOST_PICTURES]]
    return []


def _rank(path: str) -> int:
    return next((n for n, pattern in enumerate(SHOWN_FIRST) if fnmatchcase(path, pattern)), len(SHOWN_FIRST))


WAYS = (Way("GET", "/projects/{project}/subjects/{label}", lambda call: Later(lambda: get_subject(call))),)

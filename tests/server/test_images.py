"""Looks into images over REST: what is true of them, against nibabel; and files that were made to do harm."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from connectomedb.demo.release import DemoRelease, generate
from connectomedb.hcp.release import release_of
from connectomedb.server.access.auth import Role
from connectomedb.server.access.users import add_member, create_user
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.pictures import Pictures
from connectomedb.server.run import start
from connectomedb.server.site import Site, open_site
from connectomedb.server.tables.schema import audit
from connectomedb.stores.folder import FolderStore

PASSWORD = "correct horse"
FILES = "/data/projects/HCP_Q1/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files"
OWN = "/data/projects/HCP_Q1/resources/OWN"
BOLD = "MNINonLinear/Results/tfMRI_MOTOR_LR/tfMRI_MOTOR_LR"
MESH = "MNINonLinear/fsaverage_LR32k/100307"
SERIES, SULC, REGIONS = (
    f"{BOLD}_Atlas.dtseries.nii",
    f"{MESH}.sulc.32k_fs_LR.dscalar.nii",
    f"{MESH}.aparc.32k_fs_LR.dlabel.nii",
)
MAX_UPLOAD = 8 << 20
LIMITS = "[images]\nread_bytes = 8000000\nmemory_bytes = 5000000\nwithin_s = 20\ncache_bytes = 60000\n"

Values = Mapping[str, Any]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> DemoRelease:
    return generate(tmp_path_factory.mktemp("images"), subjects=("100307",))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, release: DemoRelease) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "cdb.toml").write_text(LIMITS)
    store = FolderStore(release.tree, "tree")
    site = open_site(folder, stores={"tree": store})
    delivery = Delivery(release_of("HCP_Q1"), "Q1", "Made up", {"tree": list(store.list())})
    ingest_release(site.database, site.archive, delivery)
    for login, role in (("owner", Role.OWNER), ("reader", Role.COLLABORATOR), ("stranger", None)):
        create_user(site.database, login, PASSWORD)
        if role:
            add_member(site.database, "HCP_Q1", login, role)
    yield site


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with start(site, admin_password=PASSWORD) as server:
        yield server.address


@pytest.fixture(scope="module")
def client(site: Site, address: str) -> Iterator[Callable[[str], httpx2.Client]]:
    opened: dict[str, httpx2.Client] = {}

    def of(login: str) -> httpx2.Client:
        if login not in opened:
            cookies = {"JSESSIONID": site.logins.sign_in(login, PASSWORD).session_id}
            opened[login] = httpx2.Client(base_url=address, cookies=cookies, timeout=60)
        return opened[login]

    yield of
    for one in opened.values():
        one.close()


@pytest.fixture
def reader(client: Callable[[str], httpx2.Client]) -> httpx2.Client:
    return client("reader")


@pytest.fixture
def owner(client: Callable[[str], httpx2.Client]) -> httpx2.Client:
    return client("owner")


def ask(client: httpx2.Client, path: str, **parameters: object) -> httpx2.Response:
    return client.get(f"{FILES}/{quote(path)}", params={name: str(value) for name, value in parameters.items()})


def values(client: httpx2.Client, path: str, **parameters: object) -> Any:
    reply = ask(client, path, **parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()


def on_disk(release: DemoRelease, path: str) -> Any:
    return nib.load(release.tree / "q1/100307" / path)


def test_a_volume_is_described_as_nibabel_reads_it(reader: httpx2.Client, release: DemoRelease) -> None:
    found, image = values(reader, f"{BOLD}.nii.gz", describe="image"), on_disk(release, f"{BOLD}.nii.gz")
    assert (found["kind"], found["packed"], found["frames"]) == ("volume", True, image.shape[3])
    assert found["shape"] == list(image.shape[:3])
    assert np.allclose(found["affine"], image.affine)
    assert found["step_s"] == pytest.approx(image.header.get_zooms()[3])


def test_the_series_of_a_voxel_and_a_frame_are_those_of_the_file(reader: httpx2.Client, release: DemoRelease) -> None:
    data = on_disk(release, f"{BOLD}.nii.gz").get_fdata()
    found = values(reader, f"{BOLD}.nii.gz", series="20,30,20")
    assert found["voxel"] == [20, 30, 20]
    assert np.allclose(found["values"], data[20, 30, 20])
    frame = nib.Nifti1Image.from_bytes(ask(reader, f"{BOLD}.nii.gz", frame=7).content)
    assert np.allclose(frame.get_fdata(), data[..., 7])


def test_a_series_of_grayordinates_can_be_had_from_the_server_or_by_a_range(
    reader: httpx2.Client, release: DemoRelease
) -> None:
    image = on_disk(release, SERIES)
    data, cortex = image.get_fdata(), image.header.get_axis(1)
    about = values(reader, SERIES, describe="image")
    assert (about["content"], about["frames"], about["grayordinates"]) == ("series", *data.shape)
    row = 123
    first = about["offset"] + row * about["frames"] * 4
    part = reader.get(f"{FILES}/{SERIES}", headers={"Range": f"bytes={first}-{first + 4 * about['frames'] - 1}"})
    assert part.status_code == 206
    assert np.allclose(np.frombuffer(part.content, about["dtype"]), data[:, row])
    assert np.allclose(values(reader, SERIES, series=row)["values"], data[:, row])
    vertex = int(cortex.vertex[row])
    assert values(reader, SERIES, series=f"CORTEX_LEFT,{vertex}")["grayordinate"] == row
    voxel = next(place for place in cortex.voxel if place[0] >= 0)
    deep = values(reader, SERIES, series=",".join(map(str, voxel)))
    assert tuple(cortex.voxel[deep["grayordinate"]]) == tuple(voxel)
    assert sum(count for _, count in about["models"][0]["vertices"]) == about["models"][0]["count"]


@pytest.mark.parametrize(
    ("path", "structure"), [(SERIES, "CORTEX_RIGHT"), (SULC, "CORTEX_LEFT"), (REGIONS, "CORTEX_LEFT")]
)
def test_a_map_of_a_dense_file_comes_as_gifti_values_of_a_surface(
    reader: httpx2.Client, release: DemoRelease, path: str, structure: str
) -> None:
    image = on_disk(release, path)
    made = nib.GiftiImage.from_bytes(ask(reader, path, frame=0, structure=structure).content).darrays[0].data
    name, rows, axis = next(
        part for part in image.header.get_axis(1).iter_structures() if part[0] == f"CIFTI_STRUCTURE_{structure}"
    )
    assert len(made) == axis.nvertices[name]
    assert np.allclose(made[axis.vertex], image.get_fdata()[0][rows])


def test_surfaces_and_values_on_them_are_read(reader: httpx2.Client, release: DemoRelease) -> None:
    surface = values(reader, f"{MESH}.L.pial.32k_fs_LR.surf.gii", describe="image")
    points, triangles = on_disk(release, f"{MESH}.L.pial.32k_fs_LR.surf.gii").agg_data()
    assert (surface["vertices"], surface["triangles"]) == (len(points), len(triangles))
    assert surface["structure"] == "CortexLeft"
    run = on_disk(release, f"{BOLD}.L.native.func.gii").agg_data()
    found = values(reader, f"{BOLD}.L.native.func.gii", series="77")["values"]
    assert np.allclose(found, run[77])
    labels = values(reader, f"{MESH}.L.aparc.32k_fs_LR.label.gii", describe="image")["labels"]
    assert labels["0"] == "???"


@pytest.mark.parametrize("path", ["T1w/T1w_acpc_dc_restore_brain.nii.gz", f"{MESH}.R.pial.32k_fs_LR.surf.gii", SERIES])
def test_previews_show_something_and_are_kept(reader: httpx2.Client, site: Site, path: str) -> None:
    first = ask(reader, path, preview="png", size=200)
    assert (first.status_code, first.headers["content-type"]) == (200, "image/png")
    picture = Image.open(io.BytesIO(first.content))
    assert picture.width == 200
    assert 0.05 < (np.asarray(picture.convert("L")) > 20).mean() < 0.95
    kept = len(list(site.folder.pictures.iterdir()))
    assert ask(reader, path, preview="png", size=200).content == first.content
    assert len(list(site.folder.pictures.iterdir())) == kept
    condition = {"If-None-Match": first.headers["etag"]}
    assert reader.get(f"{FILES}/{path}", params={"preview": "png", "size": "200"}, headers=condition).status_code == 304


def test_sides_of_slices_are_those_of_the_head(reader: httpx2.Client, owner: httpx2.Client) -> None:
    """What is bright on the left and high up, however the file orders its axes."""
    data = np.zeros((21, 21, 21), np.uint8)
    data[8:13, 8:13, 8:13] = 100
    data[2:5, 10, 17:20] = 255  # left and up, in the plane of the middle
    put(owner, "left.nii", nib.Nifti1Image(data, np.eye(4)).to_bytes())
    put(owner, "left2.nii", nib.Nifti1Image(data[::-1], np.diag([-1.0, 1, 1, 1])).to_bytes())
    turned = np.eye(4)
    turned[:3, :3] = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]  # the first axis goes up, the second to the right
    put(owner, "left3.nii", nib.Nifti1Image(data.transpose(2, 0, 1), turned).to_bytes())
    for name in ("left.nii", "left2.nii", "left3.nii"):
        reply = reader.get(f"{OWN}/files/{name}", params={"preview": "png", "size": "63"})
        coronal = np.asarray(Image.open(io.BytesIO(reply.content)))[:, 21:42]
        rows, columns = np.nonzero(coronal > 200)
        assert columns.mean() < 10 < 21 - rows.mean(), name


def test_a_picture_is_for_those_who_may_see_the_file(client: Callable[[str], httpx2.Client], address: str) -> None:
    asked = f"{FILES}/T1w/T1w_acpc_dc_restore_brain.nii.gz?preview=png"
    assert client("reader").get(asked).status_code == 200
    assert client("stranger").get(asked).status_code == 404
    assert httpx2.get(f"{address}{asked}").status_code == 401


def test_what_tells_of_values_is_a_download_and_a_description_is_none(reader: httpx2.Client, site: Site) -> None:
    def downloads() -> list[str]:
        site.audit.flush()
        with site.database.read() as connection:
            wanted = select(audit.c.detail).where(audit.c.action == "download").order_by(audit.c.key)
            return list(connection.execute(wanted).scalars())

    before = len(downloads())
    ask(reader, SULC, describe="image")
    preview = ask(reader, SULC, preview="png")
    ask(reader, SULC, frame=0, structure="CORTEX_LEFT")
    ask(reader, SULC, series="CORTEX_LEFT,0")
    again = reader.get(preview.request.url, headers={"If-None-Match": preview.headers["ETag"]})
    assert again.status_code == 304
    assert downloads()[before:] == ["preview", "", "series"]


def test_the_oldest_pictures_go_when_there_are_too_many(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures", 1_000)
    for number in range(12):
        pictures.put(f"{number:02}", bytes(100))
        assert pictures.get("00") is not None or number > 10
    assert sum(path.stat().st_size for path in pictures.folder.iterdir()) <= 1_000
    assert pictures.get("11") is not None
    pictures.put("huge", bytes(2_000))
    assert pictures.get("huge") is None


ASKED_WRONGLY = [
    ("T1w/T1w_acpc_dc_restore_brain.nii.gz", {"preview": "gif"}, 400),
    ("T1w/T1w_acpc_dc_restore_brain.nii.gz", {"preview": "png", "size": "9"}, 400),
    ("T1w/T1w_acpc_dc_restore_brain.nii.gz", {"preview": "png", "size": "100000"}, 400),
    ("T1w/T1w_acpc_dc_restore_brain.nii.gz", {"describe": "everything"}, 400),
    (f"{BOLD}.nii.gz", {"series": "1,2"}, 400),
    (f"{BOLD}.nii.gz", {"series": "1,2,-3"}, 400),
    (f"{BOLD}.nii.gz", {"series": "1000,2,3"}, 400),
    (f"{BOLD}.nii.gz", {"series": "a;b"}, 400),
    (f"{BOLD}.nii.gz", {"series": ""}, 400),
    (f"{BOLD}.nii.gz", {"frame": "20"}, 400),
    (f"{BOLD}.nii.gz", {"frame": "*"}, 400),
    (SERIES, {"series": "99999999"}, 400),
    (SERIES, {"series": "CORTEX_LEFT,99999999"}, 404),
    (SERIES, {"series": "CEREBRUM,1"}, 404),
    (SERIES, {"frame": "0"}, 404),
    (SERIES, {"frame": "0", "structure": "THALAMUS_LEFT"}, 404),
    (f"{MESH}.L.pial.32k_fs_LR.surf.gii", {"frame": "0"}, 400),
    (f"{MESH}.L.pial.32k_fs_LR.surf.gii", {"series": "0"}, 400),
    ("release-notes/Structural_preproc.txt", {"preview": "png"}, 400),
]


@pytest.mark.parametrize(("path", "parameters", "status"), ASKED_WRONGLY)
def test_what_cannot_be_asked_is_told(
    reader: httpx2.Client, path: str, parameters: dict[str, str], status: int
) -> None:
    reply = ask(reader, path, **parameters)
    assert (reply.status_code, reply.text.count("\n")) == (status, 0), reply.text


def put(owner: httpx2.Client, name: str, content: bytes) -> None:
    owner.put(OWN)
    owner.put(f"{OWN}/files/{name}?overwrite=true", content=content).raise_for_status()


def header(
    shape: tuple[int, ...] = (4, 4, 4),
    *,
    dtype: int = 2,
    bits: int = 8,
    offset: float = 352.0,
    magic: bytes = b"n+1\0",
) -> bytes:
    """A NIfTI-1 header, as somebody might write it by hand."""
    block = bytearray(352)
    struct.pack_into("<i", block, 0, 348)
    struct.pack_into("<8h", block, 40, len(shape), *shape, *(1 for _ in range(7 - len(shape))))
    struct.pack_into("<2h", block, 70, dtype, bits)
    struct.pack_into("<8f", block, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", block, 108, offset)
    struct.pack_into("<3h", block, 252, 0, 1, 0)
    struct.pack_into("<12f", block, 280, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
    block[344:348] = magic
    return bytes(block)


def nan_affine() -> bytes:
    block = bytearray(header())
    struct.pack_into("<12f", block, 280, *(12 * [float("nan")]))
    return bytes(block) + bytes(64)


def flat_affine() -> bytes:
    block = bytearray(header())
    struct.pack_into("<12f", block, 280, *(12 * [0.0]))
    return bytes(block) + bytes(64)


def cifti(xml: bytes, dims: tuple[int, int] = (2, 3), esize: int | None = None) -> bytes:
    """A NIfTI-2 file with such a description."""
    made = nib.Nifti2Header()
    made.set_data_dtype(np.float32)
    made.set_data_shape((1, 1, 1, 1, *dims))
    made["magic"] = b"n+2"
    size = len(xml) + 8
    made["vox_offset"] = 544 + size
    extension = struct.pack("<4B2i", 1, 0, 0, 0, size if esize is None else esize, 32) + xml
    return bytes(made.binaryblock) + extension + bytes(4 * dims[0] * dims[1])


def gifti(
    data: str,
    *,
    dims: str = 'Dimensionality="1" Dim0="3"',
    encoding: str = "GZipBase64Binary",
    extra: str = "",
    intent: str = "NIFTI_INTENT_SHAPE",
) -> bytes:
    """A GIFTI document with one array, which also names a file of the machine."""
    return (
        f'<?xml version="1.0"?>{extra}<GIFTI Version="1.0" NumberOfDataArrays="1"><DataArray Intent="{intent}" '
        f'DataType="NIFTI_TYPE_FLOAT32" ArrayIndexingOrder="RowMajorOrder" {dims} Encoding="{encoding}" '
        'Endian="LittleEndian" ExternalFileName="/etc/passwd" ExternalFileOffset="0">'
        f"<Data>{data}</Data></DataArray></GIFTI>"
    ).encode()


def bomb(size: int) -> str:
    return base64.b64encode(zlib.compress(bytes(size), 9)).decode()


LAUGHS = "<!DOCTYPE G [" + "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9)) + '<!ENTITY e0 "ha">]>'
MODELS = (
    b'<CIFTI Version="2"><Matrix>'
    b'<MatrixIndicesMap AppliesToMatrixDimension="0" IndicesMapToDataType="CIFTI_INDEX_TYPE_SERIES" '
    b'NumberOfSeriesPoints="2" SeriesExponent="%b" SeriesStart="0" SeriesStep="1" SeriesUnit="SECOND"/>'
    b'<MatrixIndicesMap AppliesToMatrixDimension="1" IndicesMapToDataType="CIFTI_INDEX_TYPE_BRAIN_MODELS">'
    b'<BrainModel IndexOffset="0" IndexCount="%b" ModelType="CIFTI_MODEL_TYPE_SURFACE" '
    b'BrainStructure="CIFTI_STRUCTURE_CORTEX_LEFT" SurfaceNumberOfVertices="%b">'
    b"<VertexIndices>0 1 2</VertexIndices></BrainModel></MatrixIndicesMap></Matrix></CIFTI>"
)

HOSTILE: list[tuple[str, bytes, int]] = [
    ("short.nii", header()[:100], 422),
    ("words.nii.gz", b"<html>sign in</html>" * 40, 422),
    ("truncated.nii", header() + bytes(60), 422),
    ("truncated.nii.gz", gzip.compress(header((64, 64, 64)) + np.random.default_rng(1).bytes(64**3))[:100_000], 422),
    ("damaged.nii.gz", gzip.compress(header())[:30] + bytes(400), 422),
    ("tail.nii.gz", gzip.compress(header() + bytes(64)) + b"no gzip", 200),
    ("magic.nii", header(magic=b"xyz\0") + bytes(64), 422),
    ("pair.nii", header(magic=b"ni1\0") + bytes(64), 422),
    ("huge.nii", header((32767,) * 7) + bytes(64), 413),
    ("wide.nii.gz", gzip.compress(header((32767, 32767, 1)) + bytes(64)), 413),
    ("negative.nii", header((-4, 4, 4)) + bytes(64), 422),
    ("none.nii", header((0, 4, 4)) + bytes(64), 422),
    ("type.nii", header(dtype=9999) + bytes(64), 422),
    ("nothing.nii", header(dtype=0) + bytes(64), 422),
    ("offset.nii", header(offset=-5.0) + bytes(64), 422),
    ("far.nii", header(offset=3e38) + bytes(64), 422),
    ("nan.nii", nan_affine(), 422),
    ("flat.nii", flat_affine(), 422),
    ("bomb.nii.gz", gzip.compress(header((200, 200, 300)) + bytes(12_000_000), 9), 413),
    ("colours.nii", header(dtype=128, bits=24) + bytes(range(192)), 200),
    ("complex.nii", header(dtype=32, bits=64) + bytes(512), 200),
    ("plain.dscalar.nii", header() + bytes(64), 422),
    ("nonsense.dscalar.nii", cifti(b"<CIFTI><Matr"), 422),
    ("nomaps.dscalar.nii", cifti(b'<CIFTI Version="2"><Matrix></Matrix></CIFTI>'), 422),
    ("esize.dscalar.nii", cifti(b"<x/>", esize=2**31 - 1), 422),
    ("negative.dscalar.nii", cifti(b"<x/>", esize=-8), 422),
    ("laughs.dscalar.nii", cifti(LAUGHS.encode() + b'<CIFTI Version="2"><Matrix>&e9;</Matrix></CIFTI>'), 422),
    ("good.dtseries.nii", cifti(MODELS % (b"0", b"3", b"3")), 200),
    ("many.dtseries.nii", cifti(MODELS % (b"0", b"999999999999", b"3")), 422),
    ("mesh.dtseries.nii", cifti(MODELS % (b"0", b"3", b"999999999999")), 422),
    ("exponent.dtseries.nii", cifti(MODELS % (b"999999999", b"3", b"3")), 422),
    ("good.shape.gii", gifti(base64.b64encode(zlib.compress(bytes(12))).decode()), 200),
    ("bomb.shape.gii", gifti(bomb(50_000_000)), 422),
    ("big.shape.gii", gifti(bomb(50_000_000), dims='Dimensionality="1" Dim0="12500000"'), 413),
    ("dims.shape.gii", gifti("", dims='Dimensionality="2" Dim0="99999999999" Dim1="99999999999"'), 413),
    ("few.shape.gii", gifti(base64.b64encode(zlib.compress(bytes(4))).decode()), 422),
    ("negative.shape.gii", gifti("", dims='Dimensionality="1" Dim0="-3"'), 422),
    ("outside.shape.gii", gifti("", encoding="ExternalFileBinary"), 422),
    ("laughs.shape.gii", gifti("&e9;", encoding="ASCII", extra=LAUGHS), 422),
    ("nopoints.surf.gii", gifti(base64.b64encode(zlib.compress(bytes(12))).decode()), 422),
    ("notriangles.surf.gii", gifti("1 2 3", encoding="ASCII", intent="NIFTI_INTENT_POINTSET"), 422),
    ("xml.surf.gii", b"<GIFTI></GIFTI>", 422),
]


@pytest.mark.parametrize(("name", "content", "status"), HOSTILE, ids=[name for name, _, _ in HOSTILE])
def test_hostile_files_are_refused_in_one_sentence(
    owner: httpx2.Client, reader: httpx2.Client, name: str, content: bytes, status: int
) -> None:
    put(owner, name, content)
    reply = reader.get(f"{OWN}/files/{name}", params={"preview": "png"})
    assert reply.status_code == status, reply.text[:300]
    if status != 200:
        assert "\n" not in reply.text
        assert "root:" not in reply.text
    for parameters in (
        {"describe": "image"},
        {"frame": "0", "structure": "CORTEX_LEFT"},
        {"series": "0,0,0"},
        {"series": "0"},
    ):
        assert reader.get(f"{OWN}/files/{name}", params=parameters).status_code < 500
    assert reader.get(f"{OWN}/files/{name}").content == content


def test_infinite_values_are_null_in_json_and_no_fault_in_pictures(owner: httpx2.Client, reader: httpx2.Client) -> None:
    data = np.full((4, 4, 4, 3), np.nan, np.float32)
    data[1, 1, 1] = (1, np.inf, 2)
    put(owner, "holes.nii", nib.Nifti1Image(data, np.eye(4)).to_bytes())
    found = reader.get(f"{OWN}/files/holes.nii", params={"series": "1,1,1"}).json()
    assert found["values"] == [1.0, None, 2.0]
    assert reader.get(f"{OWN}/files/holes.nii", params={"preview": "png"}).status_code == 200


def test_advisories_of_a_subject_come_with_the_quality_codes(reader: httpx2.Client) -> None:
    found = reader.get("/data/projects/HCP_Q1/subjects/100307/advisories").json()
    assert found["advisories"] == []
    assert set(found["qc_codes"]) >= {"A", "B", "C"}
    assert reader.get("/data/projects/HCP_Q1/subjects/999999/advisories").status_code == 404


def test_a_new_file_has_a_new_picture(owner: httpx2.Client, reader: httpx2.Client) -> None:
    asked = f"{OWN}/files/changing.nii?preview=png&size=90"
    seen = []
    for bright in (0, 2):
        data = np.zeros((6, 6, 6), np.uint8)
        data[bright : bright + 4, 1:5, 1:5] = 200
        put(owner, "changing.nii", nib.Nifti1Image(data, np.eye(4)).to_bytes())
        seen.append(reader.get(asked).content)
    assert seen[0] != seen[1]


LABELS = b"""<?xml version="1.0"?><CaretExtension><VolumeInformation Index="0"><LabelTable>
<Label Key="0" Red="1" Green="1" Blue="1" Alpha="0">???</Label>
<Label Key="2" Red="1" Green="0" Blue="0" Alpha="1">Left &amp; white</Label>
</LabelTable></VolumeInformation></CaretExtension>"""


@pytest.mark.parametrize(
    ("content", "names"), [(LABELS, {"0": "???", "2": "Left & white"}), (b"<Label Key='x'", {}), (b"", {})]
)
def test_regions_have_the_files_colours_or_some_by_their_number(
    owner: httpx2.Client, reader: httpx2.Client, content: bytes, names: dict[str, str]
) -> None:
    data = np.zeros((12, 12, 12), np.int16)
    data[2:10, 2:6, 2:10], data[2:10, 6:10, 2:10] = 2, 12_101
    image = nib.Nifti1Image(data, np.eye(4))
    if content:
        image.header.extensions.append(nib.nifti1.Nifti1Extension(30, content))
    put(owner, "aparc+aseg.nii", image.to_bytes())
    told = reader.get(f"{OWN}/files/aparc+aseg.nii?describe=image").raise_for_status().json()["regions"]
    assert {key: label["name"] for key, label in told["labels"].items()} == names
    picture = Image.open(io.BytesIO(reader.get(f"{OWN}/files/aparc+aseg.nii?preview=png&size=90").content))
    seen = {colour for _, colour in picture.convert("RGB").getcolors() or ()}
    palette = [tuple(colour) for colour in told["palette"]]
    assert seen == {(0, 0, 0), (255, 0, 0) if names else palette[2], palette[12_101 % len(palette)]}


def test_only_volumes_of_regions_have_regions(reader: httpx2.Client) -> None:
    for path, has in (
        ("T1w/T1w_acpc_dc_restore_brain.nii.gz", False),
        ("T1w/T1wDividedByT2w_ribbon.nii.gz", False),
        ("T1w/wmparc.nii.gz", True),
        ("T1w/ribbon.nii.gz", True),
        ("MNINonLinear/ROIs/Atlas_ROIs.2.nii.gz", True),
    ):
        told = reader.get(f"{FILES}/{path}?describe=image").raise_for_status().json()
        assert (told["regions"] is not None) == has, path


def parcels() -> nib.cifti2.ParcelsAxis:
    """Two parcels on a left mesh of ten vertices: A has 1, 2 and 3, B has 7."""
    whole = nib.cifti2.BrainModelAxis.from_mask(np.ones(10, bool), "CortexLeft")
    return nib.cifti2.ParcelsAxis.from_brain_models([("A", whole[[1, 2, 3]]), ("B", whole[[7]])])


def matrix_file(*axes: Any, data: Any) -> bytes:
    image = nib.cifti2.Cifti2Image(np.asarray(data, np.float32), header=axes)
    image.update_headers()
    content: bytes = image.to_bytes()
    return content


def on_vertices(reader: httpx2.Client, name: str, frame: int) -> list[float | None]:
    asked = {"frame": str(frame), "structure": "CORTEX_LEFT"}
    reply = reader.get(f"{OWN}/files/{name}", params=asked).raise_for_status()
    values = nib.GiftiImage.from_bytes(reply.content).darrays[0].data.tolist()
    return [None if np.isnan(value) else value for value in values]


def test_parcels_are_painted_on_their_vertices(owner: httpx2.Client, reader: httpx2.Client) -> None:
    series = matrix_file(nib.cifti2.SeriesAxis(0, 0.72, 3), parcels(), data=[[1, 4], [2, 5], [3, 6]])
    put(owner, "run.ptseries.nii", series)
    told = reader.get(f"{OWN}/files/run.ptseries.nii?describe=image").raise_for_status().json()
    assert (told["content"], told["frames"], told["grayordinates"], told["step_s"]) == ("series", 3, 2, 0.72)
    assert [model["vertices"] for model in told["models"]] == [None], "no range of bytes belongs to a vertex alone"
    none = [None]
    assert on_vertices(reader, "run.ptseries.nii", 1) == none + [2.0] * 3 + none * 3 + [5.0] + none * 2
    for place, values in (("CORTEX_LEFT,2", [1, 2, 3]), ("CORTEX_LEFT,7", [4, 5, 6]), ("1", [4, 5, 6])):
        assert reader.get(f"{OWN}/files/run.ptseries.nii", params={"series": place}).json()["values"] == values
    assert reader.get(f"{OWN}/files/run.ptseries.nii?series=CORTEX_LEFT,0").status_code == 404


def test_a_map_of_connectivity_is_a_row(owner: httpx2.Client, reader: httpx2.Client) -> None:
    put(owner, "z.pconn.nii", matrix_file(parcels(), parcels(), data=[[1, 0.5], [0.5, 2]]))
    told = reader.get(f"{OWN}/files/z.pconn.nii?describe=image").raise_for_status().json()
    assert (told["content"], told["maps"]) == ("connectivity", ["A", "B"])
    assert on_vertices(reader, "z.pconn.nii", 1)[1:8:6] == [0.5, 2.0]
    dense = nib.cifti2.BrainModelAxis.from_mask(np.arange(10) < 4, "CortexLeft")
    matrix = np.arange(16).reshape(4, 4)
    put(owner, "z.dconn.nii", matrix_file(dense, dense, data=matrix + matrix.T))
    assert on_vertices(reader, "z.dconn.nii", 2) == [10.0, 15.0, 20.0, 25.0, *[None] * 6]
    put(owner, "odd.dconn.nii", matrix_file(dense, parcels(), data=np.ones((4, 2))))
    assert reader.get(f"{OWN}/files/odd.dconn.nii?describe=image").status_code == 422

"""What a session holds: scans and reconstructions. Their IDs are unique in the session."""

from sqlalchemy import select

from connectomedb.errors import AddressError, Conflict
from connectomedb.server.changes.wish import Wish
from connectomedb.server.changes.writer import Writer, check_id
from connectomedb.server.query.entries import ROWS
from connectomedb.server.tables.schema import experiments, scans
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import DataType, Entity
from connectomedb.xnat.document import Item

_TYPES = {Entity.SCAN: builtin.IMAGE_SCAN, Entity.RECONSTRUCTION: builtin.RECONSTRUCTION}


def put_image(writer: Writer, entity: Entity, session_key: int, word: str, wish: Wish) -> str:
    """Make or change a scan or reconstruction; its ID in the session. The right to is asked before.

    `word` is what the address calls it: its ID, or the type of a scan whose ID is given beside it.
    Raises Unusable, Conflict, AddressError, DocumentError.
    """
    registry = writer.view.registry
    asked = wish.type(registry, entity)
    general = wish.draft(writer.view, registry.get(_TYPES[entity]))
    id = general.take("ID")
    row = _find(writer, entity, session_key, id, word)
    if row is None:
        data_type = _type_of_new(writer, entity, session_key, asked)
        id = id or word or _next_id(writer, session_key)
        check_id(id)
        key = writer.make(entity, {"experiment_key": session_key, "id": id, "data_type": data_type.name})
    else:
        key, id, data_type = row
        if wish.is_post:
            raise Conflict(f"Asked to make the {entity} {id}. There is one already. Choose another ID.")
        if asked is not None and asked not in registry.lineage(data_type):
            raise Conflict(f"Asked for a {entity} of the type {asked.name}. It is {data_type.name}, and types stay.")
    draft = wish.draft(writer.view, data_type)
    for name in ("ID", "image_session_ID"):
        draft.take(name)
    writer.write(data_type, key, draft)
    return id


def put_image_item(writer: Writer, entity: Entity, session_key: int, item: Item, *, is_whole: bool) -> None:
    """Make or change a scan or reconstruction that stands in the document of its session."""
    put_image(writer, entity, session_key, str(item.fields.get("ID", "")), Wish(item=item, is_whole=is_whole))


def _find(writer: Writer, entity: Entity, session_key: int, id: str, word: str) -> tuple[int, str, DataType] | None:
    """Key, ID and type of the one that is meant: by the ID given beside, else by the address, as ID or type."""
    table = ROWS[entity]
    of_session = select(table.c.key, table.c.id, table.c.data_type).where(table.c.experiment_key == session_key)
    tries = [of_session.where(table.c.id == (id or word))]
    if entity is Entity.SCAN and not id:
        tries.append(of_session.where(scans.c.type == word))
    for statement in tries:
        row = writer.connection.execute(statement).first()
        if row is not None:
            return row.key, row.id, writer.view.registry.get(row.data_type)
    return None


def _type_of_new(writer: Writer, entity: Entity, session_key: int, asked: DataType | None) -> DataType:
    """The type that is named, else the one that the session's type implies. Raises AddressError."""
    registry = writer.view.registry
    if entity is Entity.RECONSTRUCTION:
        return registry.get(builtin.RECONSTRUCTION)
    if asked is None:
        session = writer.connection.execute(
            select(experiments.c.data_type).where(experiments.c.key == session_key)
        ).scalar_one()
        asked = next((known for known in registry if known.entity is entity and known.session == session), None)
    if asked is None or asked.is_abstract:
        raise AddressError("Asked to make a scan of no kind. Send xsiType=xnat:mrScanData or another.")
    return asked


def _next_id(writer: Writer, session_key: int) -> str:
    """The number after the highest."""
    used = writer.connection.execute(select(scans.c.id).where(scans.c.experiment_key == session_key)).scalars()
    return str(max((int(id) for id in used if id.isascii() and id.isdecimal()), default=0) + 1)

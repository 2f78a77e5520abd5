"""What one request wants, before it is known of which object: its parameters, and its document."""

from collections.abc import Sequence
from dataclasses import dataclass

from connectomedb.errors import AddressError, DocumentError, Unusable
from connectomedb.server.changes.draft import Draft, find_type, read_item, read_parameters
from connectomedb.server.routes.call import View
from connectomedb.server.types.datatypes import DataType, Entity, Registry
from connectomedb.xnat.document import Item


@dataclass(frozen=True, slots=True)
class Wish:
    """One request's wishes.

    Attributes:
        pairs: its parameters, of the address and of a form.
        item: its document, if it has one; parameters are applied on top.
        is_whole: the document is authoritative: what it does not mention is to go.
        is_post: sent to a list, so the object must be new.
    """

    pairs: Sequence[tuple[str, str]] = ()
    item: Item | None = None
    is_whole: bool = False
    is_post: bool = False

    def get(self, *names: str) -> str:
        """The first parameter of one of these names, case ignored; "" without."""
        wanted = {name.lower() for name in names}
        return next((text for name, text in self.pairs if name.lower() in wanted), "")

    def type(self, registry: Registry, entity: Entity) -> DataType | None:
        """The data type that is named, if any. Raises AddressError, DocumentError for one of another level."""
        for name, error in (
            (self.item.type if self.item and "/" not in self.item.type else "", DocumentError),
            (self.get("xsiType"), AddressError),
        ):
            found = find_type(registry, name, entity) if name else None
            if name and found is None:
                raise error(f"Asked for an object of the type {name[:80]!r}. There is no such type of {entity}.")
            if found is not None:
                return found
        return None

    def draft(self, view: View, data_type: DataType) -> Draft:
        """The wishes read against a type. Raises AddressError, DocumentError."""
        draft = Draft(is_whole=self.is_whole and self.item is not None)
        if self.item is not None:
            read_item(draft, view, data_type, self.item)
        read_parameters(draft, view, data_type, self.pairs)
        return draft

    def field(self, name: str) -> str:
        """A field of the document; "" without."""
        return str(self.item.fields.get(name, "")) if self.item else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a wish: the object's ID, whether it is new, and whether the ID is to be answered."""

    id: str
    is_new: bool = False
    is_told: bool = True


def concrete(data_type: DataType | None, what: str) -> DataType:
    """The type of a new object. Raises Unusable when none is named, AddressError for an abstract one."""
    if data_type is None:
        raise Unusable(f"Asked to make {what} without saying of which type. Send xsiType, or a document.")
    if data_type.is_abstract:
        raise AddressError(f"Asked to make {what} of the type {data_type.name}, which has none. Name a kind of it.")
    return data_type

"""From the words of a search to fields of data types, and to the names of result columns.

    asked                                                     column
    display field of the root type                            subject_id
    display field of another type                             xnat_mrsessiondata_label
    display field with a value                                sub_project_identifier_p1
    custom variable, XNAT_SUBJECTDATA_FIELD_MAP=consent       xnat_subjectdata_field_map_consent
    sessions of a type, CNT_XNAT_MRSESSIONDATA=P1             cnt_xnat_mrsessiondata_p1
    schema path that a display field plainly shows            as that display field
    any other schema path, xnat:mrSessionData/label           xnat_col_mrsessiondatalabel

Source: XNAT's search results, as pyxnat and xnatpy read them.
"""

import re
from dataclasses import dataclass

from connectomedb.errors import QueryError
from connectomedb.server.access.auth import Rights
from connectomedb.server.types import builtin
from connectomedb.server.types.datatypes import DataType, Display, Entity, Field, Formula, Kind, Path, Registry
from connectomedb.xnat.query import SearchField
from connectomedb.xnat.resultset import STATUS_COLUMN

LAST_COLUMN = STATUS_COLUMN
COUNT = "CNT_"


@dataclass(frozen=True, slots=True)
class Asked:
    """A field that somebody asked for, with the value it takes, if it takes one."""

    data_type: DataType
    field: Field
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What the words of one caller's searches mean. Fields whose tier is not granted do not exist."""

    registry: Registry
    rights: Rights

    def column(self, asked: SearchField) -> Asked | None:
        """The field of a search column, or None when there is none."""
        data_type, path = self.registry.find(asked.element), asked.field_id.removeprefix(f"{asked.element}/")
        if data_type and path != asked.field_id and not path.isupper():
            # As xnatpy writes a schema path, which a display field may be called, too: `xnat:mrSessionData/label`.
            found = self._path(data_type, path)
            if found is not None:
                return found if self.rights.may_use(found.field.tier) else None
        return self._find(asked.element, asked.field_id, asked.value)

    def criterion(self, text: str) -> Asked:
        """The field of a criterion: `type/FIELD`, `type.FIELD` or a schema path. Raises QueryError."""
        separator = "/" if "/" in text else "."
        element, _, field_id = text.partition(separator)
        found = self._find(element, field_id, None)
        if found is None:
            raise QueryError(f"Asked to search by {text!r}. There is no such field: list those of its data type.")
        return found

    def has(self, text: str) -> bool:
        """Whether there is such a field of a criterion."""
        try:
            self.criterion(text)
        except QueryError:
            return False
        return True

    def fields_of(self, data_type: DataType) -> list[Display]:
        """The display fields that the caller may use."""
        return [display for display in data_type.displays if self.rights.may_use(display.tier)]

    def _find(self, element: str, field_id: str, value: str | None) -> Asked | None:
        data_type = self.registry.find(element)
        if data_type is None:
            return None
        field_id = field_id.removeprefix(f"{element}/")
        found = (
            self._display(data_type, field_id, value)
            or self._custom(data_type, field_id, value)
            or self._counted(data_type, field_id, value)
            or self._path(data_type, field_id)
        )
        return found if found and self.rights.may_use(found.field.tier) else None

    def _display(self, data_type: DataType, field_id: str, value: str | None) -> Asked | None:
        whole = self.registry.display(data_type, field_id)
        if whole is not None:
            return Asked(data_type, whole, (value or "") if whole.takes_value else "")
        id, _, inline = field_id.partition("=") if "=" in field_id else field_id.partition(".")
        taking = self.registry.display(data_type, id)
        return Asked(data_type, taking, value or inline) if taking and taking.takes_value else None

    def _custom(self, data_type: DataType, field_id: str, value: str | None) -> Asked | None:
        """A custom variable as xnatpy asks for it: `XNAT_SUBJECTDATA_FIELD_MAP=consent`."""
        id, _, inline = field_id.partition("=")
        if id.upper() != f"{data_type.name.upper().replace(':', '_')}_FIELD_MAP":
            return None
        name = value or inline
        found = self.registry.path(data_type, f"fields/field[name={name}]/field")
        if found is None:
            return None
        display = Display(id.upper(), name, found.source, found.kind, tier=found.tier, takes_value=True)
        return Asked(data_type, display, name)

    def _counted(self, data_type: DataType, field_id: str, value: str | None) -> Asked | None:
        """How many experiments of a type a subject has in a project: `CNT_XNAT_MRSESSIONDATA=P1`."""
        id, _, inline = field_id.partition("=")
        if data_type.name != builtin.SUBJECT or not id.upper().startswith(COUNT):
            return None
        types = (known for known in self.registry if known.entity is Entity.EXPERIMENT and not known.is_abstract)
        counted = next((known for known in types if count_id(known) == id.upper()), None)
        if counted is None:
            return None
        project = value or inline
        source = Formula("sessions_in_project", f"{counted.name} {project}")
        return Asked(data_type, Display(id.upper(), counted.plural, source, Kind.INTEGER, takes_value=True), project)

    def _path(self, data_type: DataType, path: str) -> Asked | None:
        plain = self.registry.display_of_path(data_type, path)
        if plain is not None:
            return Asked(data_type, plain)
        found = self.registry.path(data_type, path)
        return Asked(data_type, found) if found else None


def count_id(data_type: DataType) -> str:
    """The display field of subjects that counts their experiments of a type: `CNT_XNAT_MRSESSIONDATA`."""
    return COUNT + data_type.name.replace(":", "_").upper()


def column_name(root: DataType, asked: Asked, path: str) -> str:
    """Name of the result column; `path` is the field as it was asked, for columns named after it."""
    prefix = "" if asked.data_type is root else f"{asked.data_type.name.replace(':', '_')}_"
    if isinstance(asked.field, Path):
        return f"{prefix}{_squeeze(f'{asked.data_type.name}/{path}')}".lower()
    value = f"_{_spell(asked.argument)}" if asked.argument else ""
    return f"{prefix}{asked.field.id}{value}".lower()


def _spell(text: str) -> str:
    return text.replace(",", "_com_").replace(":", "_col_")


def _squeeze(path: str) -> str:
    return re.sub(r"[^\w]", "_", _spell(re.sub(r"[/@\[\]]", "", path)))

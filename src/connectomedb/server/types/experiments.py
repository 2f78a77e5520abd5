"""What all experiments have, and what those of a subject have beside."""

from connectomedb.server.types.builtin import (
    EXPERIMENT,
    FIELDS,
    INVESTIGATOR,
    INVESTIGATOR_ALIASES,
    SHARED,
    SUBJECT,
    SUBJECT_ASSESSOR,
    VALIDATION,
    VALIDATION_ALIASES,
    aliases_of,
    facts,
    of_experiment,
    of_project,
    of_subject,
)
from connectomedb.server.types.datatypes import (
    DataType,
    Display,
    Entity,
    Kind,
    Path,
)

EXPERIMENT_TYPE = DataType(
    name=EXPERIMENT,
    entity=Entity.EXPERIMENT,
    singular="Experiment",
    plural="Experiments",
    paths=(
        Path("ID", of_experiment("id")),
        Path("project", of_project("id")),
        Path("label", of_experiment("label")),
        Path("visit_id", of_experiment("visit_id")),
        Path("date", of_experiment("date"), Kind.DATE),
        Path("time", of_experiment("time"), Kind.TIME),
        Path("note", of_experiment("note")),
        *facts("visit", "original", "protocol", "acquisition_site", "version"),
        *INVESTIGATOR,
        *VALIDATION,
        *FIELDS,
        Path("meta/insert_date", of_experiment("insert_date"), Kind.TIMESTAMP),
        Path("meta/insert_user", of_experiment("insert_user")),
        Path("meta/last_modified", of_experiment("last_modified"), Kind.TIMESTAMP),
        Path("meta/xsiType", of_experiment("data_type")),
        *SHARED,
    ),
    aliases=aliases_of(
        EXPERIMENT,
        *("ID", "project", "label", "date", "time", "note", "visit", "visit_id", "protocol"),
        **INVESTIGATOR_ALIASES,
        **VALIDATION_ALIASES,
        insert_date="meta/insert_date",
        insert_user="meta/insert_user",
        last_modified="meta/last_modified",
        xsiType="meta/xsiType",
    ),
)

SUBJECT_ASSESSOR_TYPE = DataType(
    name=SUBJECT_ASSESSOR,
    entity=Entity.EXPERIMENT,
    parent=EXPERIMENT,
    singular="Subject Assessor",
    plural="Subject Assessors",
    paths=(Path("subject_ID", of_subject("id")), Path("age", of_experiment("age"), Kind.FLOAT)),
    aliases=aliases_of(SUBJECT_ASSESSOR, "age", subject_ID="subject_id")
    | aliases_of(SUBJECT, subject_label="label", subject_project="project"),
)


EXPERIMENT_DISPLAYS = (
    Display("SESSION_ID", "Session ID", of_experiment("id"), path="ID"),
    Display("LABEL", "Label", of_experiment("label")),
    Display("PROJECT", "Project", of_project("id"), path="project"),
    Display("PROJECTS", "Projects", of_project("id")),
    Display("SUBJECT_ID", "Subject ID", of_subject("id"), path="subject_ID"),
    Display("SUBJECT_LABEL", "Subject", of_subject("label")),
    Display("INSERT_DATE", "Inserted", of_experiment("insert_date"), Kind.TIMESTAMP),
    Display("INSERT_USER", "Creator", of_experiment("insert_user")),
)
"""Display fields that every kind of experiment has."""

"""The type of subjects, with their demographics."""

from connectomedb.server.types.builtin import (
    DEMOGRAPHICS,
    FIELDS,
    INVESTIGATOR,
    INVESTIGATOR_ALIASES,
    MR_SESSION,
    SHARED,
    SUBJECT,
    aliases_of,
    fact,
    facts,
    of_project,
    of_subject,
)
from connectomedb.server.types.datatypes import (
    DataType,
    Display,
    Entity,
    Formula,
    Kind,
    Path,
)

_RACES = ("race2", "race3", "race4", "race5", "race6")
_BIRTH = ("gestational_age", "post_menstrual_age", "birth_weight")

SUBJECT_TYPE = DataType(
    name=SUBJECT,
    entity=Entity.SUBJECT,
    singular="Subject",
    plural="Subjects",
    element="Subject",
    paths=(
        Path("ID", of_subject("id")),
        Path("project", of_project("id")),
        Path("group", of_subject("group")),
        Path("label", of_subject("label")),
        Path("src", of_subject("src")),
        Path(DEMOGRAPHICS + "dob", of_subject("dob"), Kind.DATE),
        Path(DEMOGRAPHICS + "yob", of_subject("yob"), Kind.INTEGER),
        Path(DEMOGRAPHICS + "age", of_subject("age"), Kind.INTEGER),
        Path(DEMOGRAPHICS + "gender", of_subject("gender")),
        Path(DEMOGRAPHICS + "handedness", of_subject("handedness")),
        Path(DEMOGRAPHICS + "ses", of_subject("ses"), Kind.INTEGER),
        Path(DEMOGRAPHICS + "education", of_subject("education"), Kind.INTEGER),
        Path(DEMOGRAPHICS + "educationDesc", of_subject("education_desc")),
        Path(DEMOGRAPHICS + "race", of_subject("race")),
        Path(DEMOGRAPHICS + "ethnicity", of_subject("ethnicity")),
        Path(DEMOGRAPHICS + "weight", of_subject("weight"), Kind.FLOAT),
        Path(DEMOGRAPHICS + "height", of_subject("height"), Kind.FLOAT),
        *facts(*(DEMOGRAPHICS + name for name in ("weight/units", "height/units", "employment", *_RACES))),
        *(fact(DEMOGRAPHICS + name, Kind.FLOAT) for name in _BIRTH),
        *INVESTIGATOR,
        *FIELDS,
        Path("meta/insert_date", of_subject("insert_date"), Kind.TIMESTAMP),
        Path("meta/insert_user", of_subject("insert_user")),
        Path("meta/last_modified", of_subject("last_modified"), Kind.TIMESTAMP),
        *SHARED,
    ),
    displays=(
        Display("SUBJECT_ID", "Subject ID", of_subject("id"), path="ID"),
        Display("SUBJECTID", "Subject ID", of_subject("id")),
        Display("SUBJECT_LABEL", "Subject", of_subject("label"), path="label"),
        Display("PROJECT", "Project", of_project("id"), path="project"),
        Display("PROJECTS", "Projects", of_project("id")),
        Display("SUB_PROJECT_IDENTIFIER", "Subject", Formula("label_in_project"), takes_value=True),
        Display("GENDER", "Gender", of_subject("gender"), path=DEMOGRAPHICS + "gender"),
        Display("GENDER_TEXT", "M/F", Formula("initial", "gender")),
        Display("HANDEDNESS", "Hand", of_subject("handedness"), path=DEMOGRAPHICS + "handedness"),
        Display("HANDEDNESS_TEXT", "Hand", Formula("initial", "handedness")),
        Display("DOB", "YOB", Formula("year_of_birth"), Kind.INTEGER),
        Display("EDUC", "Education", of_subject("education"), Kind.INTEGER, path=DEMOGRAPHICS + "education"),
        Display("SES", "SES", of_subject("ses"), Kind.INTEGER, path=DEMOGRAPHICS + "ses"),
        Display("AGE", "Age", of_subject("age"), Kind.INTEGER, path=DEMOGRAPHICS + "age"),
        Display("RACE", "Race", of_subject("race"), path=DEMOGRAPHICS + "race"),
        Display("ETHNICITY", "Ethnicity", of_subject("ethnicity"), path=DEMOGRAPHICS + "ethnicity"),
        Display("SUB_GROUP", "Group", of_subject("group"), path="group"),
        Display("ADD_IDS", "Other IDs", Formula("nothing")),
        Display("INSERT_DATE", "Inserted", of_subject("insert_date"), Kind.TIMESTAMP),
        Display("INSERT_USER", "Creator", of_subject("insert_user")),
        Display("MR_COUNT", "MR", Formula("experiments_of_subject", MR_SESSION), Kind.INTEGER),
    ),
    aliases=aliases_of(
        SUBJECT,
        *("ID", "project", "label", "group", "src"),
        **{
            name: DEMOGRAPHICS + name
            for name in (
                *("dob", "yob", "age", "gender", "handedness", "ses", "education", "educationDesc"),
                *("race", "ethnicity", "weight", "height", *_BIRTH),
            )
        },
        **INVESTIGATOR_ALIASES,
        insert_date="meta/insert_date",
        insert_user="meta/insert_user",
        last_modified="meta/last_modified",
    ),
    listing=(
        *("SUBJECT_LABEL", "PROJECT", "SUBJECTID", "SUBJECT_ID", "GENDER", "HANDEDNESS", "DOB", "EDUC", "SES"),
        "MR_COUNT",
    ),
)

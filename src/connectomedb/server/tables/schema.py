"""The tables of the database.

    users ─┬─ logins                       who is signed in
           ├─ tokens                       alias and secret in place of login and password
           ├─ members ─ projects           role of a user in a project, perhaps by one of its own project_groups
           ├─ favorites ─ projects
           └─ grants  ─ projects           tiers of measures that a user may see there
    sign_in_failures                       of a login or an address, lately
    audit                                  who did what; rows are added, never changed
    projects ─ subjects ─ experiments ─┬─ scans, reconstructions
                                       ├─ experiments         assessors of the session
                                       ├─ image_sessions      what only imaging sessions have
                                       └─ measures_<n>        one table per data type of measures
    users ─┬─ saved_searches ─ saved_search_people      searches that are kept, and who else may use them
           └─ search_snapshots ─ search_snapshot_rows   results that are paged through
    resources  of one project, subject, experiment, scan or reconstruction;  files  of one resource
    <level>_facts   rare fields and custom variables of one object, a row each
    <level>_shares  other projects in which an object is seen too, with its label there
    loose_objects                      bytes that no file names yet, or any more

Tables of measures are made when data comes in, from `data_types` and `fields`; see `server.tables.measures`.
The tables stand in `accounts`, `objects`, `holdings`, `dictionary` and `searches`, and are had from here.
Migrations under `migrations/` make them; a test compares both.
"""

from connectomedb.server.tables.accounts import (
    audit,
    favorites,
    grants,
    logins,
    members,
    project_groups,
    sign_in_failures,
    tokens,
    users,
)
from connectomedb.server.tables.base import Key, metadata
from connectomedb.server.tables.dictionary import counters, data_types, fields
from connectomedb.server.tables.holdings import files, loose_objects, resources
from connectomedb.server.tables.objects import (
    experiment_facts,
    experiment_shares,
    experiments,
    image_sessions,
    project_aliases,
    project_facts,
    projects,
    reconstruction_facts,
    reconstructions,
    retired_projects,
    scan_facts,
    scan_shares,
    scans,
    subject_facts,
    subject_shares,
    subjects,
)
from connectomedb.server.tables.searches import (
    saved_search_people,
    saved_searches,
    search_snapshot_rows,
    search_snapshots,
)

__all__ = [
    "Key",
    "audit",
    "counters",
    "data_types",
    "experiment_facts",
    "experiment_shares",
    "experiments",
    "favorites",
    "fields",
    "files",
    "grants",
    "image_sessions",
    "logins",
    "loose_objects",
    "members",
    "metadata",
    "project_aliases",
    "project_facts",
    "project_groups",
    "projects",
    "reconstruction_facts",
    "reconstructions",
    "resources",
    "retired_projects",
    "saved_search_people",
    "saved_searches",
    "scan_facts",
    "scan_shares",
    "scans",
    "search_snapshot_rows",
    "search_snapshots",
    "sign_in_failures",
    "subject_facts",
    "subject_shares",
    "subjects",
    "tokens",
    "users",
]

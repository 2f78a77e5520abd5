"""Tables of data-use terms, who accepted them, the S3 keys that users made, and checksums of package zips.

projects ─ terms ─ acceptances ─ users       which words a project demands, and who said yes to them when
projects ─ prefixes                          where in which store a project's release lies
users    ─ s3_keys                           the public half of a user's key pair
package_sums                                 MD5 of a zip, by what is in it
"""

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Table, Text, UniqueConstraint

from connectomedb.server.tables.schema import Key, metadata

terms = Table(
    "terms",
    metadata,
    Column("key", Key, primary_key=True),
    Column("project_key", Key, ForeignKey("projects.key", ondelete="CASCADE"), nullable=False),
    Column("version", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("insert_date", DateTime, nullable=False),
    Column("insert_user", Text, nullable=False),
    UniqueConstraint("project_key", "version"),
)

acceptances = Table(
    "acceptances",
    metadata,
    Column("terms_key", Key, ForeignKey("terms.key", ondelete="CASCADE"), primary_key=True),
    Column("user_key", Key, ForeignKey("users.key", ondelete="CASCADE"), primary_key=True, index=True),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("accepted", DateTime, nullable=False),
)

prefixes = Table(
    "prefixes",
    metadata,
    Column("project_key", Key, ForeignKey("projects.key", ondelete="CASCADE"), primary_key=True),
    Column("store", Text, primary_key=True),
    Column("prefix", Text, primary_key=True),
)

s3_keys = Table(
    "s3_keys",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("user_key", Key, nullable=False),  # no foreign key: a row outlives its user until the keys are ended
    Column("login", Text, nullable=False),
    Column("store", Text, nullable=False),
    Column("access_key", Text, nullable=False),
    Column("prefixes", Text, nullable=False),
    Column("created", DateTime, nullable=False),
)

package_sums = Table(
    "package_sums",
    metadata,
    Column("stamp", Text, primary_key=True),
    Column("md5", Text, nullable=False),
)

"""The demo's data-use terms: short, made up, and honest about it."""

from connectomedb.server.access.terms import Wording

TERMS = Wording(
    version="demo-1",
    title="Terms of the synthetic demo (not those of any real data)",
    text="""\
1. All of this is SYNTHETIC: a program made every image and every value. No person is behind any of it.
2. You may do with it whatever you like. Do not present it as data of people.
3. Real projects have terms of their own, which protect people: not to identify participants, to pass data on \
only under the same terms, to acknowledge who collected them. This page shows where they would stand.
""",
)

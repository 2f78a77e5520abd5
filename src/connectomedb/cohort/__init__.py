"""Which subjects, and why: predicates in one line, their evaluation, funnels, advisories, lockfiles. Pure."""

"""S3 keys of users: what a user may read as a policy, identities of the object store, and who has which key."""

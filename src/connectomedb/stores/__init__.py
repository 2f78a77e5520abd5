"""Where objects live: one module per kind of store, all behind the same few verbs."""

"""The demo: a seeded, synthetic release, and the stage that serves it."""

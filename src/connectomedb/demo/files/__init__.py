"""The files of a subject: formats, and what each package of the release holds."""

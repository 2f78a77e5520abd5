"""What is true only of the Human Connectome Project: layout, manifests, releases. Pure text and values."""

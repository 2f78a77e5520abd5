"""Who asks, and may they: sign-in, users, and the one relation that says who sees what."""

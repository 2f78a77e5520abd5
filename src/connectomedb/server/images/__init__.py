"""What is in an image file: its kind, one frame, one series, a picture. Loaded when first asked for."""

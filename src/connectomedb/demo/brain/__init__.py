"""One synthetic person's brain: anatomy, labels, contrasts and a response to a task."""

"""What an address answers: one module per kind of request, and how requests are read and replies written."""

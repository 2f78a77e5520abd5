"""What is true of every XNAT: addresses, searches, tables and documents. Pure text and values."""

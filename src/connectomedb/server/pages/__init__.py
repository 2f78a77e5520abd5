"""The browser's pages: HTML made from what the REST API answers to the same caller."""

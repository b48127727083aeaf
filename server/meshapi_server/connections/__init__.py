"""How bytes reach the application: what a connection may take of size and of time."""

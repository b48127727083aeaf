"""The Mesh API server: durable video generation tasks behind one wire contract."""

__version__ = "0.1.0"

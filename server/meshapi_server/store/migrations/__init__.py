"""Numbered changes of the schema, one folder per dialect."""

"""The built-in model mesh/diorama-1: a procedural renderer from prompt to MP4."""

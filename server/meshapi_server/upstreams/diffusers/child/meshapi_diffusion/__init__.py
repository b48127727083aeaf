"""Runs one diffusers pipeline for a server that talks to it over pipes: ``python -m meshapi_diffusion``.

Nothing of the server is imported here: the interpreter may be any that has torch, diffusers and transformers.
"""

"""The folder that the child's interpreter finds ``meshapi_diffusion`` in; there is nothing else in it."""

"""diffusers/*: folders of open weights, run on this machine in a child process that has torch."""

from .configuration import Configuration, DiffusersMisconfigured, check_python, configured
from .upstream import Diffusers

__all__ = ["Configuration", "Diffusers", "DiffusersMisconfigured", "check_python", "configured"]

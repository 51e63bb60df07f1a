"""XML and YAML launch files are not supported."""

from .._unsupported import refusal

raise ImportError(refusal("launch.frontend"), name=__name__)

"""One module for each command group; each has ``add_arguments(parser)``."""

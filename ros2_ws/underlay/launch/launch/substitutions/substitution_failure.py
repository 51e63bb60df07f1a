"""Error of a substitution that cannot be performed."""


class SubstitutionFailure(Exception):  # noqa: N818 - the genuine name
    """A substitution cannot be performed."""

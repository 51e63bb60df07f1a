"""Error of a condition that is neither true nor false."""


class InvalidConditionExpressionError(Exception):
    """The expression of a condition is neither true nor false."""

"""Conditions of actions."""

from .._unsupported import refuse_names
from ..condition import Condition
from .evaluate_condition_expression import evaluate_condition_expression
from .if_condition import IfCondition
from .invalid_condition_expression_error import InvalidConditionExpressionError
from .launch_configuration_equals import LaunchConfigurationEquals
from .launch_configuration_not_equals import LaunchConfigurationNotEquals
from .unless_condition import UnlessCondition

__all__ = [
    "Condition",
    "IfCondition",
    "InvalidConditionExpressionError",
    "LaunchConfigurationEquals",
    "LaunchConfigurationNotEquals",
    "UnlessCondition",
    "evaluate_condition_expression",
]

__getattr__ = refuse_names(__name__, {"AndCondition", "OrCondition", "NotCondition"})

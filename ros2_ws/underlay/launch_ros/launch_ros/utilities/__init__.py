"""Functions that several actions share."""

from launch._unsupported import refuse_names

from .namespace_utils import (
    is_namespace_absolute,
    is_root_namespace,
    make_namespace_absolute,
    prefix_namespace,
)

__all__ = [
    "is_namespace_absolute",
    "is_root_namespace",
    "make_namespace_absolute",
    "prefix_namespace",
]

__getattr__ = refuse_names(
    __name__,
    {
        "add_node_name",
        "evaluate_parameters",
        "evaluate_parameters_dict",
        "get_node_name_count",
        "normalize_parameter_dict",
        "normalize_parameters",
        "normalize_remap_rule",
        "normalize_remap_rules",
        "plugin_support",
        "to_parameters_list",
    },
)

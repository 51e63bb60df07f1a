"""Functions that many entities share."""

from .._unsupported import refuse_names
from .argument_types import ensure_argument_type, is_a, is_a_subclass
from .entities import normalize_to_list_of_entities, visit_all_entities_and_collect_futures
from .normalize_to_list_of_substitutions_impl import normalize_to_list_of_substitutions
from .perform_substitutions_impl import perform_substitutions

__all__ = [
    "ensure_argument_type",
    "is_a",
    "is_a_subclass",
    "normalize_to_list_of_entities",
    "normalize_to_list_of_substitutions",
    "perform_substitutions",
    "visit_all_entities_and_collect_futures",
]

__getattr__ = refuse_names(
    __name__,
    {
        "AllowedTypesTuple",
        "AllowedTypesType",
        "CancelableFuture",
        "create_futures",
        "create_future",
        "type_utils",
    },
)

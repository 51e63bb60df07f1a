"""What may stand wherever actions are expected."""

import collections.abc
from collections.abc import Iterable

from .action import Action

SomeActionsType = Action | Iterable[Action]

SomeActionsType_types_tuple = (Action, collections.abc.Iterable)

"""Names of a package that are imported on first use."""

import importlib
from collections.abc import Callable, Iterable, Mapping


def lazy_names(
    package: str, *, modules: Iterable[str] = (), objects: Mapping[str, str] | None = None
) -> Callable[[str], object]:
    """Build the module-level `__getattr__` of a package.

    Args:
        package: Full name of the package.
        modules: Submodules that are reached as attributes.
        objects: Name of an object -> submodule that defines it.

    Returns:
        A function that resolves a name, and names the package for one that does not exist here.
    """
    submodules = frozenset(modules)
    origins = dict(objects or {})

    def resolve(name: str) -> object:
        if name in submodules:
            return importlib.import_module(f"{package}.{name}")
        if name in origins:
            return getattr(importlib.import_module(f"{package}.{origins[name]}"), name)
        raise AttributeError(
            f"{package}.{name} is not part of this stand-in for the genuine {package}; "
            f"available: {', '.join(sorted(submodules | set(origins)))}"
        )

    return resolve

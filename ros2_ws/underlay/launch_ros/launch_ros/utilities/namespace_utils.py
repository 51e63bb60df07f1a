"""Names of namespaces."""

import re

_NAMESPACE = re.compile(r"/|(/[A-Za-z_][A-Za-z0-9_]*)+")
_NODE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_root_namespace(namespace: str) -> bool:
    """Say whether it is '/'."""
    return namespace == "/"


def is_namespace_absolute(namespace: str) -> bool:
    """Say whether it begins with '/'."""
    return namespace.startswith("/")


def prefix_namespace(base_ns: str | None, ns: str | None) -> str | None:
    """Put one namespace into another; an absolute one stays as it is."""
    if ns is None or base_ns is None:
        return base_ns if ns is None else ns
    if is_namespace_absolute(ns) or not base_ns:
        return ns
    return f"{base_ns.rstrip('/')}/{ns}".rstrip("/") or "/"


def make_namespace_absolute(ns: str | None) -> str | None:
    """Put '/' in front, if need be."""
    if ns is None or is_namespace_absolute(ns):
        return ns
    return f"/{ns}"


def checked_namespace(namespace: str) -> str:
    """Return an absolute namespace without a trailing '/'.

    Raises:
        ValueError: ROS does not accept it.
    """
    namespace = namespace.rstrip("/") or "/"
    if not _NAMESPACE.fullmatch(namespace):
        raise ValueError(
            f"invalid namespace {namespace!r}: its tokens may contain letters, digits and "
            "underscores, and must not begin with a digit"
        )
    return namespace


def checked_node_name(name: str) -> str:
    """Return the name.

    Raises:
        ValueError: ROS does not accept it.
    """
    if not _NODE_NAME.fullmatch(name):
        raise ValueError(
            f"invalid node name {name!r}: it may contain letters, digits and underscores, and "
            "must not begin with a digit"
        )
    return name

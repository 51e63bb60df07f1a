"""The parameters of all nodes of a graph, as they are now."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import ParameterEvent
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python
from rclpy.qos import qos_profile_parameter_events
from rclpy.task import Future


class ParameterCollection:
    """Asks every node once for its parameters, then listens to its changes.

    Args:
        node: Whose executor serves the answers.
    """

    def __init__(self, node: Node) -> None:
        self.values: dict[str, dict[str, Any]] = {}
        self._node = node
        self._asked: set[str] = set()
        self._clients: dict[str, list[Client]] = {}
        node.create_subscription(
            ParameterEvent, "/parameter_events", self._on_event, qos_profile_parameter_events
        )

    @property
    def unanswered(self) -> list[str]:
        """Nodes whose parameters are not known."""
        return sorted(self._asked - set(self.values))

    def poll(self) -> None:
        """Ask the nodes that have appeared; forget those that have gone."""
        own = self._node.get_fully_qualified_name()
        present = {
            f"{namespace.rstrip('/')}/{name}"
            for name, namespace in self._node.get_node_names_and_namespaces()
        } - {own}
        for name in self._asked - present:
            self._asked.discard(name)
            self._release(name)
        for name in present - self._asked:
            client = self._client(ListParameters, f"{name}/list_parameters", name)
            if client.service_is_ready():
                self._asked.add(name)
                future = client.call_async(ListParameters.Request())
                future.add_done_callback(lambda done, name=name: self._on_names(name, done))

    def _client(self, kind: type, service: str, name: str) -> Client:
        for client in self._clients.get(name, []):
            if client.srv_type is kind:
                return client
        client = self._node.create_client(kind, service)
        self._clients.setdefault(name, []).append(client)
        return client

    def _on_names(self, name: str, done: Future) -> None:
        names = list(done.result().result.names)
        client = self._client(GetParameters, f"{name}/get_parameters", name)
        future = client.call_async(GetParameters.Request(names=names))
        future.add_done_callback(lambda done: self._on_values(name, names, done))

    def _on_values(self, name: str, names: list[str], done: Future) -> None:
        values = (parameter_value_to_python(value) for value in done.result().values)
        self.values[name] = {key: _plain(value) for key, value in zip(names, values, strict=True)}

    def _on_event(self, event: ParameterEvent) -> None:
        known = self.values.setdefault(event.node, {})
        for parameter in [*event.new_parameters, *event.changed_parameters]:
            known[parameter.name] = _plain(parameter_value_to_python(parameter.value))
        for parameter in event.deleted_parameters:
            known.pop(parameter.name, None)

    def _release(self, name: str) -> None:
        for client in self._clients.pop(name, []):
            self._node.destroy_client(client)


def _plain(value: Any) -> Any:
    """Arrays as lists, bytes as numbers: as JSON has them."""
    if isinstance(value, bytes):
        return list(value)
    return list(value) if hasattr(value, "typecode") or isinstance(value, list | tuple) else value

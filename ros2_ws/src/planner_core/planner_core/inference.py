"""Running a graph: one session, the provider that was asked for, one thread, checked names.

The thread is one and does not spin: more threads do not help graphs of this size, and a spinning
thread takes the core that the executor needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import onnxruntime as ort
from numpy.typing import NDArray
from planner_core.bundle import Bundle
from planner_core.errors import BundleFileError, BundleMismatchError, InvalidParameterError

PROVIDERS: Final = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}


def available_providers() -> list[str]:
    """Providers that the installed onnxruntime was built with."""
    built = ort.get_available_providers()
    return [name for name, provider in PROVIDERS.items() if provider in built]


class Graph:
    """A graph of a bundle, ready to run.

    Args:
        bundle: The bundle.
        name: Which of its graphs.
        provider: What runs it, of `PROVIDERS`.

    Raises:
        InvalidParameterError: The provider is unknown, or does not work on this machine.
        BundleFileError: The graph cannot be loaded.
        BundleMismatchError: It has other inputs or outputs than its manifest says.
    """

    def __init__(self, bundle: Bundle, name: str, provider: str = "cpu") -> None:
        self.spec = bundle.manifest.graph(name)
        self._session = _session(bundle, name, provider)
        self._check(bundle.manifest.name)
        # Outputs that nobody asks for are not computed.
        self._options = ort.RunOptions()
        self._options.only_execute_path_to_fetches = True

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[Any]:
        """Compute some outputs.

        Args:
            outputs: Their names; what only others need is left out.
            inputs: All inputs, float32, by name. They are read in place.

        Returns:
            The outputs as new arrays, in the order of ``outputs``.
        """
        computed: list[Any] = self._session.run(outputs, inputs, self._options)
        return computed

    def _check(self, bundle: str) -> None:
        for side, specs, nodes in (
            ("inputs", self.spec.inputs, self._session.get_inputs()),
            ("outputs", self.spec.outputs, self._session.get_outputs()),
        ):
            graph = {node.name: tuple(node.shape) for node in nodes}
            for spec in specs:
                shape = graph.pop(spec.name, None)
                if shape is None or not _fits(spec.shape, shape):
                    raise BundleMismatchError(
                        f"bundle {bundle}: {side} {spec.name}", got=f"{shape} in the graph",
                        expected=f"{spec.shape} as the manifest says",
                    )  # fmt: skip
            if graph:
                raise BundleMismatchError(
                    f"bundle {bundle}: {side} missing in the manifest", got=sorted(graph)
                )


def _session(bundle: Bundle, name: str, provider: str) -> ort.InferenceSession:
    usable = available_providers()
    if provider not in usable:
        raise InvalidParameterError(
            "provider", got=provider, expected=f"one of {usable}, which are installed",
            remedy="Install the onnxruntime build that has it.",
        )  # fmt: skip
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    # What a provider lacks the CPU computes; TensorRT leaves to CUDA what it cannot take.
    chain = list(dict.fromkeys([provider, *(["cuda"] if provider == "tensorrt" else []), "cpu"]))
    providers = [PROVIDERS[link] for link in chain]
    try:
        session = ort.InferenceSession(bundle.graphs[name], options, providers=providers)
    except Exception as error:  # onnxruntime derives its errors from Exception directly
        raise BundleFileError(
            f"bundle {bundle.folder}: the graph {name} cannot be loaded",
            got=str(error).splitlines()[0],
        ) from error
    # onnxruntime goes on without a provider whose driver or device is missing, and says nothing.
    if (chosen := session.get_providers()[0]) != PROVIDERS[provider]:
        raise InvalidParameterError(
            "provider does not work on this machine", got=f"{provider}: {chosen} took its place",
            remedy="Check its driver and libraries, or use the provider cpu.",
        )  # fmt: skip
    return session


def _fits(manifest: tuple[int | str, ...], graph: tuple[int | str, ...]) -> bool:
    """Sizes agree where both are numbers; a name stands for any size."""
    return len(manifest) == len(graph) and all(
        isinstance(a, str) == isinstance(b, str) and (isinstance(a, str) or a == b)
        for a, b in zip(manifest, graph, strict=True)
    )

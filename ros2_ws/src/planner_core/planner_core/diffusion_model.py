"""The diffusion model of a bundle: its networks under its sampler.

Letters: ``K`` candidates, ``H`` rows of a window, ``D`` channels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from planner_core.bundle import Bundle
from planner_core.diffusion_sampler import DiffusionSampler, configured
from planner_core.errors import BundleMismatchError
from planner_core.inference import Graph
from planner_core.planners import SamplerSettings

Floats = NDArray[np.float32]


class DiffusionModel:
    """Draws windows.

    Args:
        bundle: The model.
        settings: How it is sampled.
        candidates: ``K``.
        rows: ``H``.

    Attributes:
        spec: Its sampler, as configured.
        channels: ``D``.
        mean: (D,) of the channels.
        std: (D,) of the channels.

    Raises:
        BundleMismatchError: The bundle has no sampler, or a graph does not fit its manifest.
        BundleFileError: A graph cannot be loaded.
        InvalidParameterError: A setting does not fit the model.
    """

    def __init__(
        self, bundle: Bundle, settings: SamplerSettings, candidates: int, rows: int
    ) -> None:
        manifest = bundle.manifest
        if manifest.sampler is None:
            raise BundleMismatchError(f"bundle {manifest.name}: sampler", expected="a sampler")
        self.spec = configured(manifest.sampler, settings)
        self.mean = np.array(manifest.normalisation.mean, dtype=np.float32)
        self.std = np.array(manifest.normalisation.std, dtype=np.float32)
        self.channels = len(self.mean)
        roles = ["planner"] if self.spec.coupling == "planner" else ["planner", "dynamics"]
        self._networks = {role: Graph(bundle, role, settings.provider) for role in roles}
        shape = (candidates, rows, self.channels)
        for role, graph in self._networks.items():
            if (got := graph.spec.input("sample").shape) != ("K", *shape[1:]):
                raise BundleMismatchError(
                    f"bundle {manifest.name}: sample of the graph {role}", got=got,
                    expected=("K", *shape[1:]),
                )  # fmt: skip
        self._sampler = DiffusionSampler(self.spec, shape)
        self._outputs = ["prediction", "unconditioned"][: 1 + self._sampler.guided]

    def sample(
        self,
        inputs: dict[str, Floats],
        rng: np.random.Generator,
        present: Floats,
        start: Floats | None,
    ) -> Floats:
        """Draw.

        Args:
            inputs: What the networks are told beside sample and level.
            rng: Randomness.
            present: (n,) normalised first channels of the first row, which are known.
            start: (H, D) normalised window to begin near; None begins with noise.

        Returns:
            (K, H, D) normalised windows.
        """

        def network(role: str, x: Floats, k: int) -> tuple[Floats, Floats | None]:
            level = np.array([k], dtype=np.float32)
            outputs = self._networks[role].run(
                self._outputs, {"sample": x, "level": level, **inputs}
            )
            return outputs[0], outputs[1] if len(outputs) == 2 else None

        return self._sampler.sample(network, rng, present, start)

"""The unmodified SO100Follower, beside a torchvision that was built for another torch."""

from __future__ import annotations

import torch


def load() -> tuple[type, type]:
    """Its class and that of its configuration.

    torchvision registers the gradients of two operators at import. Where its compiled part does
    not load, as a CUDA build beside a CPU torch, the operators have to be declared first; nothing
    here ever calls them.
    """
    torch.set_num_threads(1)
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from lerobot.robots.so_follower import SO100Follower, SO100FollowerConfig

    # A library that is collected takes its declarations along.
    SO100Follower.torchvision_operators = library
    return SO100Follower, SO100FollowerConfig

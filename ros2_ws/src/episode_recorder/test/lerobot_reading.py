"""What lerobot itself reads of a data set, as JSON; a process of its own, for it takes torch."""

from __future__ import annotations

import json
import sys

import numpy as np
import torch


def main(folder: str) -> None:
    torch.set_num_threads(1)
    # torchvision registers two operators at import; where its compiled part is for another torch,
    # they have to be declared first. Nothing here calls them.
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset = LeRobotDataset("local/flights", root=folder)
    frames = [dataset[index] for index in range(len(dataset))]
    batch = next(iter(torch.utils.data.DataLoader(dataset, batch_size=4)))
    result = {
        "fps": dataset.fps,
        "episodes": dataset.num_episodes,
        "frames": dataset.num_frames,
        "features": {key: list(value["shape"]) for key, value in dataset.features.items()},
        "task": frames[0]["task"],
        "batch": {k: list(v.shape) for k, v in batch.items() if isinstance(v, torch.Tensor)},
        "action_mean": np.asarray(dataset.meta.stats["action"]["mean"]).tolist(),
        "lengths": [int(e["length"]) for e in dataset.meta.episodes],
        "columns": {
            key: [frame[key].tolist() for frame in frames]
            for key in ("observation.state", "action", "timestamp", "episode_index", "next.done")
        },
    }
    print("RESULT " + json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1])

"""One of several processes that share images: ``python -m tests.one_of_several RANK WORLD STORE``.

Prints scores and details, after synchronisation, as JSON.
"""

import json
import sys

import torch

from tests.label_images import scored_image
from tests.measures import measures as all_measures

IMAGES = 5  # odd, so that the processes have unequal shares


def main(rank: int, world: int, store: str) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=world
    )
    measures = all_measures()
    for seed in range(rank, IMAGES, world):
        measures.update(**scored_image(seed))
    scores = {name: score.item() for name, score in measures.compute().items()}
    details = {}
    for name, measure in measures.items():
        with measure.sync_context():
            details[name] = measure.details()
    print(json.dumps({"scores": scores, "details": details}))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

"""Mask R-CNN of torchvision from random weights, as in PyTorch's finetuning tutorial.

Source: docs.pytorch.org, "TorchVision Object Detection Finetuning Tutorial": ResNet-50 with FPN,
SGD at 0.005 with momentum 0.9 and weight decay 0.0005, batches of 2, horizontal flips. No weights
are pretrained, as for the other programs. Where objects overlap, the one with the higher score
gets the pixels.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peer_programs.common import Pairs, Trained, normalised, run

SURE = 0.5
"""Threshold for the score of an object and for the probability of a pixel."""


def train(training: Pairs, validation: Pairs, seconds: float, folder: Path) -> Trained:
    import torch
    from torchvision.models.detection import maskrcnn_resnet50_fpn

    del validation, folder
    began = time.process_time()
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=2, box_detections_per_img=500
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9, weight_decay=0.0005)
    filled = [(x, y) for x, y in zip(*training, strict=True) if y.any()]

    def as_input(image: np.ndarray) -> Any:
        return torch.from_numpy(np.stack([normalised(image)] * 3))

    def example() -> tuple[Any, dict[str, Any]]:
        image, labels = filled[rng.integers(len(filled))]
        if rng.integers(2):
            image, labels = np.fliplr(image), np.fliplr(labels)
        masks = np.stack([labels == number for number in np.unique(labels)[1:]])
        places = [np.argwhere(mask) for mask in masks]
        boxes = [[*one.min(0)[::-1], *(one.max(0)[::-1] + 1)] for one in places]
        target = {
            "boxes": torch.tensor(np.array(boxes), dtype=torch.float32),
            "labels": torch.ones(len(boxes), dtype=torch.int64),
            "masks": torch.from_numpy(masks.astype(np.uint8)),
        }
        return as_input(image), target

    model.train()
    while time.process_time() - began < seconds:
        images, targets = zip(*(example() for _ in range(2)), strict=True)
        loss = sum(model(list(images), list(targets)).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()

    @torch.inference_mode()
    def predict(image: np.ndarray) -> np.ndarray:
        (found,) = model([as_input(image)])
        labels = np.zeros(image.shape, np.int32)
        sure = found["masks"][found["scores"] > SURE, 0] > SURE
        for number, mask in reversed(list(enumerate(sure.numpy(), start=1))):
            labels[mask] = number
        return labels

    return predict, began


if __name__ == "__main__":
    run(train)

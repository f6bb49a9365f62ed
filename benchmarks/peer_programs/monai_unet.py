"""MONAI's U-Net as in its tutorial for 2D images, with a gap between touching objects.

Source: github.com/Project-MONAI/tutorials, 2d_segmentation/torch/unet_training_dict.py: its UNet,
Adam at 0.001, four crops of 96 x 96 pixels from each of two images, quarter turns, sliding windows.
The loss is MONAI's DiceCELoss. The tutorial's targets are masks without separate objects. Here,
pixels where two objects touch are background, because otherwise they could not be separated.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peer_programs.common import Pairs, Trained, run

SIDE = 96


def train(training: Pairs, validation: Pairs, seconds: float, folder: Path) -> Trained:
    import torch
    from monai.data import CacheDataset, DataLoader, list_data_collate
    from monai.inferers import sliding_window_inference
    from monai.losses import DiceCELoss
    from monai.networks.nets import UNet
    from monai.transforms import (
        Compose,
        RandCropByPosNegLabeld,
        RandRotate90d,
        ScaleIntensityd,
        ToTensord,
    )
    from monai.utils import set_determinism
    from scipy.ndimage import maximum_filter, minimum_filter

    del validation, folder
    began = time.process_time()
    set_determinism(0)
    keys = ["image", "label"]

    def apart(labels: np.ndarray) -> np.ndarray:
        labels = labels.astype(np.int64)
        highest = maximum_filter(labels, 3)
        lowest = minimum_filter(np.where(labels > 0, labels, labels.max()), 3)
        meets = (highest != lowest) & (lowest > 0)
        return ((labels > 0) & ~meets).astype(np.float32)

    examples = [
        {"image": image[None].astype(np.float32), "label": apart(labels)[None]}
        for image, labels in zip(*training, strict=True)
    ]
    transforms = Compose(
        [
            ScaleIntensityd("image"),
            RandCropByPosNegLabeld(
                keys, label_key="label", spatial_size=(SIDE, SIDE), pos=1, neg=1, num_samples=4
            ),
            RandRotate90d(keys, prob=0.5, spatial_axes=(0, 1)),
            ToTensord(keys),
        ]
    )
    data = CacheDataset(examples, transforms, progress=False)
    loader: Any = DataLoader(data, batch_size=2, shuffle=True, collate_fn=list_data_collate)
    network = UNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=1,
        channels=(16, 32, 64, 128, 256),
        strides=(2, 2, 2, 2),
        num_res_units=2,
    )
    loss, optimizer = DiceCELoss(sigmoid=True), torch.optim.Adam(network.parameters(), 1e-3)
    scale = ScaleIntensityd("image")
    while time.process_time() - began < seconds:
        for batch in loader:
            optimizer.zero_grad()
            loss(network(batch["image"].as_tensor()), batch["label"].as_tensor()).backward()
            optimizer.step()
            if time.process_time() - began >= seconds:
                break
    network.eval()

    @torch.inference_mode()
    def predict(image: np.ndarray) -> np.ndarray:
        scaled = scale({"image": image[None].astype(np.float32)})["image"][None].as_tensor()
        return sliding_window_inference(scaled, (SIDE, SIDE), 4, network).sigmoid()[0, 0].numpy()

    return predict, began


if __name__ == "__main__":
    run(train)

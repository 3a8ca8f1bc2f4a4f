"""Trains the float classifier and exports it: examples/glyphs/glyphs.onnx, a few minutes on two cores.

    python3 train.py          needs torch (2.x, CPU) and numpy; see README.md

Residual blocks of ordinary convolutions joined by depthwise-separable ones: the wide layers hold the bytes, the depthwise
layers hold next to none and suffer most from few bits, so one width for all layers is a bad choice.
"""

import pathlib
import time

import numpy as np
import torch
from torch import nn

from glyphs import CLASSES, SIZE, draw_set
from make_data import CALIBRATION, EVALUATION

HERE = pathlib.Path(__file__).parent
TRAINING_SEED, TRAINING_COUNT = 1, 12_000
EPOCHS, BATCH_SIZE, PEAK_LEARNING_RATE = 10, 128, 4e-3
MEAN, STD = 0.2, 0.25  # also in bitgate.yml


class Block(nn.Module):
    """Two convolutions and a shortcut around them."""

    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x):
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(x + self.norm2(self.conv2(y)))


class Down(nn.Module):
    """Half the resolution, more channels: a depthwise convolution with stride 2, then a pointwise one."""

    def __init__(self, width_in, width_out):
        super().__init__()
        self.depthwise = nn.Conv2d(width_in, width_in, 3, stride=2, padding=1, groups=width_in, bias=False)
        self.norm1 = nn.BatchNorm2d(width_in)
        self.pointwise = nn.Conv2d(width_in, width_out, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width_out)

    def forward(self, x):
        y = torch.relu(self.norm1(self.depthwise(x)))
        return torch.relu(self.norm2(self.pointwise(y)))


class Glyphs(nn.Module):
    """Images [N, 1, 32, 32] to logits [N, 16]."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 16, 5, stride=2, padding=2, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.block1 = Block(16)
        self.down1 = Down(16, 32)
        self.block2 = Block(32)
        self.down2 = Down(32, 64)
        self.block3 = Block(64)
        self.head = nn.Linear(64, len(CLASSES))

    def forward(self, images):
        x = torch.relu(self.norm(self.stem(images)))
        x = self.block1(x)
        x = self.block2(self.down1(x))
        x = self.block3(self.down2(x))
        return self.head(x.mean(dim=(2, 3)))


def to_input(images):
    return (torch.from_numpy(images).float() / 255 - MEAN) / STD


def train(model, images, labels):
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LEARNING_RATE, weight_decay=0.02)
    steps = EPOCHS * (len(images) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, total_steps=steps)
    model.train()
    for epoch in range(EPOCHS):
        total = 0.0
        for chosen in torch.randperm(len(images))[: steps // EPOCHS * BATCH_SIZE].split(BATCH_SIZE):
            loss = nn.functional.cross_entropy(model(images[chosen]), labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1:2d}/{EPOCHS}  loss {total * EPOCHS / steps:.4f}", flush=True)
    model.eval()


@torch.no_grad()
def accuracy(model, path):
    data = np.load(path)
    return float((model(to_input(data["images"])).argmax(dim=1).numpy() == data["labels"]).mean())


def export(model, path):
    """PRESERVE keeps BatchNormalization apart from the convolutions, and the parameters' own names."""
    torch.onnx.export(
        model,
        torch.zeros(1, 1, SIZE, SIZE),
        path,
        dynamo=False,
        opset_version=17,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        input_names=["images"],
        output_names=["logits"],
        dynamic_axes={"images": {0: "batch"}, "logits": {0: "batch"}},
    )


def main():
    torch.manual_seed(0)
    start = time.monotonic()
    images, labels = draw_set(TRAINING_SEED, TRAINING_COUNT)
    print(f"drew {TRAINING_COUNT} training images in {time.monotonic() - start:.0f} s")
    model = Glyphs()
    train(model, to_input(images), torch.from_numpy(labels))
    for path in (CALIBRATION, EVALUATION):
        print(f"{path.name}: top-1 {accuracy(model, path):.4f}")
    export(model, HERE / "glyphs.onnx")
    print(f"glyphs.onnx: {(HERE / 'glyphs.onnx').stat().st_size} bytes, {time.monotonic() - start:.0f} s in all")


if __name__ == "__main__":
    main()

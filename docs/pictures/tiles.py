"""Figure 2: an image that goes on mirrored, one tile with its halo, and all cores."""

from drawing import cells, row
from matplotlib.patches import Rectangle

from unet_exp.geometry import mirror_window, plan_tiles
from unet_exp.models.unet import UNet

SIZE, LIMIT = 192, 160
image, _ = cells(SIZE)
network = UNet(depth=2, base_channels=2)
plan = plan_tiles(SIZE, LIMIT, network.step, network.halo, network.fitting_sizes)
halo, end = network.halo, plan.starts[-1] + plan.core + network.halo
left, right = row("one tile: halo (yellow), core (blue)", "all cores", side=3.6)
for axes in (left, right):
    window = mirror_window(image, (-halo, end), (-halo, end))
    axes.imshow(window, cmap="gray", extent=(-halo, end, end, -halo))
    axes.add_patch(Rectangle((0, 0), SIZE, SIZE, fill=False, color="white", ls=":"))
left.add_patch(Rectangle((-halo, -halo), plan.side, plan.side, fill=False, color="#f0e442", lw=2))
left.add_patch(Rectangle((0, 0), plan.core, plan.core, fill=False, color="#56b4e9", lw=2))
for y in plan.starts:
    for x in plan.starts:
        right.add_patch(Rectangle((x, y), plan.core, plan.core, fill=False, color="#56b4e9", lw=2))

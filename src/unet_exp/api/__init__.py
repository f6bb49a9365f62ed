"""The package in Python: what ``import unet_exp`` offers, on the same path as the commands.

Each function composes the configuration of a command from overrides, checks it, and calls the room
that does the work. Only `unet_exp` itself and `napari_plugin` import this room.
"""

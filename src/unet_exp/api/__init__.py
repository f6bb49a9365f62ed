"""The Python interface of ``import unet_exp``, which shares its code with the commands.

Each function composes the configuration of a command from overrides, checks it, and calls the room
that does the work. Only `unet_exp` itself and `napari_plugin` import this room.
"""

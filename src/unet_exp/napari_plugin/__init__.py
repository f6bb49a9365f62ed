"""unet_exp in napari: a widget that segments a layer, and a reader of results.

``napari.yaml`` is the manifest that napari reads. Nothing else imports this room, and the network's
libraries are imported when the first image is segmented.
"""

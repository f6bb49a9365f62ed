"""Parts of our own for unet_exp."""

"""From files on disk to images and instance labels."""

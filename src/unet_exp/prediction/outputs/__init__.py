"""The outputs of ``outputs=[...]``: each one is a class that writes one file for an image.

A new output needs a class that meets `output.Output`, and an entry in `choices.OUTPUTS`.
"""

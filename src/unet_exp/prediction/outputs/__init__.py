"""What ``outputs=[...]`` offers: each output is one class that writes one file of an image.

A new output needs a class that meets `output.Output`, and an entry in `choices.OUTPUTS`.
"""

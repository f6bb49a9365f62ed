"""Losses that training minimises. Each loss uses the weights of the pixels."""

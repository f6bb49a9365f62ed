"""The commands that a person types: train, evaluate, predict, export, and unet-sweep.

A command parses and checks its options, starts the work in the rooms below, and explains errors.
Nothing imports this room.
"""

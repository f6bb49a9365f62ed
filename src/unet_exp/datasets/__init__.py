"""Labelled samples from files: datasets, splits, downloads and the cache of arrays.

A dataset returns images and the labels that people drew. The room `targets` decides what a network
learns from them.
"""

"""A plan from the data: what images and labels say, and which settings follow from it.

The fingerprint measures, and the plan is a pure function of the fingerprint. Which settings of a
configuration are left to the plan is decided in `unet_exp.runs.planned`.
"""

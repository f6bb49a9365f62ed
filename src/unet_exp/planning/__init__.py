"""Plan the settings of a training from its images and labels.

The fingerprint measures the data, and the plan is a pure function of the fingerprint.
`unet_exp.runs.planned` decides which settings of a configuration are left to the plan.
"""

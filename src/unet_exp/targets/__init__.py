"""What a network learns: labels to a target, and the network's output to evidence for instances.

Each option of ``conf/target/`` is a class here that fulfils the protocol `Target` in ``target.py``.
The weights of pixels are in `weight_maps`, and the step from evidence to instances is in
`postprocessing`.
"""

"""What a network learns: labels to a target, and the network's output to evidence for instances.

Each option of ``conf/target/`` is a class here that meets the protocol `Target` in ``target.py``.
How much a pixel counts is the matter of weight maps; how evidence becomes instances, that of
postprocessing.
"""

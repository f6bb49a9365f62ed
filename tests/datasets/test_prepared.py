import copy
import pickle

import numpy as np

from unet_exp.datasets.prepared import Prepared
from unet_exp.datasets.synthetic import Synthetic


def test_other_processes_get_a_copy() -> None:
    found = Prepared(Synthetic(size=32), np.negative)
    for again in (copy.copy(found), pickle.loads(pickle.dumps(found))):  # noqa: S301
        assert again.name == found.name
        assert (again.split("test")[0].image == found.split("test")[0].image).all()

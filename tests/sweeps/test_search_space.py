"""Which values a search may try."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from unet_exp.sweeps.plan import SweepError
from unet_exp.sweeps.search_space import distribution


def test_a_study_keeps_no_secret() -> None:
    parse = OverridesParser.create().parse_override
    with pytest.raises(SweepError, match=r"dataset\.url has a secret"):
        distribution(parse("dataset.url=http://me:PW@a/x,http://me:PW@b/x"))
    looked_up = "dataset.url=http://me:${oc.env:PW}@a/x,http://me:${oc.env:PW}@b/x"
    assert "PW" in str(distribution(parse(looked_up)))

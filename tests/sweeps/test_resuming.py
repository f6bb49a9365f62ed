"""Jobs and overrides of a sweep whose record has no secrets."""

import pytest

from unet_exp.records.sweep_folder import Job
from unet_exp.sweeps import resuming
from unet_exp.sweeps.plan import SweepError, plan_jobs
from unet_exp.sweeps.resuming import jobs_with_secrets, require_secrets

URL = "dataset.url=http://me:{}@host/a.zip"


def test_a_recorded_job_gets_the_secret_of_the_same_words() -> None:
    known = [Job("0", ("seed=0", URL.format("***"))), Job("1", ("seed=1",))]
    given = [("seed=1",), ("seed=0", URL.format("PW")), ("seed=2", URL.format("PW"))]
    assert jobs_with_secrets(known, given) == [Job("0", given[1]), known[1]]
    # The third is a job of its own.
    jobs = plan_jobs(given, jobs_with_secrets(known, given))
    assert [job.folder for job in jobs] == ["0", "1", "2"]


def test_jobs_that_differ_in_their_secrets_alone_stay_apart() -> None:
    known = [Job(str(n), ("dataset.token=***",)) for n in range(2)]
    given = [("dataset.token=a",), ("dataset.token=b",)]
    found = jobs_with_secrets(known, given)
    assert [job.overrides for job in found] == given
    assert len(plan_jobs(given, found)) == 2


def test_given_secrets_count_more_than_recorded_ones() -> None:
    known = [Job("0", (URL.format("${oc.env:HOME}"),))]
    assert jobs_with_secrets(known, [(URL.format("PW"),)]) == [Job("0", (URL.format("PW"),))]


def test_all_missing_secrets_are_named_at_once() -> None:
    require_secrets(["seed=0", URL.format("${oc.env:PW}")])
    with pytest.raises(SweepError, match=r"Give dataset\.url=\.\.\. token=\.\.\. again"):
        require_secrets(["seed=0", URL.format("***"), "+token=***"])


def test_each_job_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(resuming, "public", lambda given: calls.append(given) or tuple(given))
    jobs = [Job(str(number), (f"seed={number}",)) for number in range(50)]
    assert jobs_with_secrets(jobs, [job.overrides for job in jobs]) == jobs
    assert len(calls) == 100

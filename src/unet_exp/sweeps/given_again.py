"""Secrets of a sweep that goes on: its record has none, so the command line gives them again."""

from collections.abc import Sequence

from unet_exp.configuration.overrides import key_of
from unet_exp.records.sweep_folder import Job
from unet_exp.secrets.masking import blanked, is_masked
from unet_exp.sweeps.plan import SweepError


def jobs_with_secrets(known: Sequence[Job], combinations: Sequence[Sequence[str]]) -> list[Job]:
    """Return the recorded jobs of a sweep with the secrets that the words of the command give."""
    left = [tuple(words) for words in combinations]
    jobs = []
    for job in known:
        same = sorted(map(blanked, job.overrides))
        alike = [own for own in left if sorted(map(blanked, own)) == same]
        if alike:
            found = job.overrides if job.overrides in alike else alike[0]
            left.remove(found)
            job = Job(job.folder, found)
        jobs.append(job)
    return jobs


def require_secrets(words: Sequence[str]) -> None:
    """Refuse words whose secrets are masked.

    Raises
    ------
    SweepError
        Naming their keys.
    """
    lacking = [word for word in words if is_masked(word)]
    if lacking:
        keys = " ".join(f"{key_of(word)}=..." for word in lacking)
        raise SweepError(
            f"{', '.join(lacking)} lacks its secret, which no record keeps. Give {keys} again with "
            "it, or let it be looked up: ${oc.env:NAME}."
        )

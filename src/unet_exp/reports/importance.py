"""Estimate the importance of each setting of a sweep for the score, with Optuna.

The estimator is fANOVA (Hutter et al. 2014, https://proceedings.mlr.press/v32/hutter14.html) if
scikit-learn is installed, else PED-ANOVA (Watanabe et al. 2023, doi:10.24963/ijcai.2023/488).
"""

import math
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from unet_exp.numbers import parse_number
from unet_exp.records.groups import short_names
from unet_exp.records.sweep import Run, Sweep
from unet_exp.reports.chart import Axis, Chart, Series

#: Smallest number of finished jobs for an estimate.
LEAST = 8


def importance(sweep: Sweep) -> tuple[list[Chart], str]:
    """Return the chart of the importance of settings, or no chart and a text about what is missing.

    For a sweep with few finished jobs, or with equal scores, there is neither a chart nor a text.
    """
    jobs = sweep.ranked
    keys = [key for key in sweep.parameters if len({job.values.get(key) for job in jobs}) > 1]
    if len(keys) < 2 or len(jobs) < LEAST or len({job.score for job in jobs}) == 1:
        return [], ""
    if find_spec("optuna") is None:
        return [], "The importance of settings needs Optuna: pip install 'unet-exp[optuna]'."
    found = estimates(jobs, keys, sweep.mode)
    names = short_names(sweep.parameters)
    order = sorted(found, key=lambda key: -found[key])
    values, labels = [round(found[key], 4) for key in order], [names[key] for key in order]
    repeated = {"seed", "dataset.fold"} & set(keys)
    chart = Chart(
        "Importance of settings",
        Axis("share of the score's variation", (0, max(1.0, *found.values()))),
        Axis("setting", kind="words"),
        [Series("", values, labels, "bars")],
        note="fold and seed tell how large chance is" if repeated else "",
    )
    return [chart], ""


def estimates(jobs: Sequence[Run], keys: Sequence[str], mode: str) -> dict[str, float]:
    """Return the importance of each setting; the values add up to 1."""
    import optuna

    distributions = {key: distribution([job.values.get(key) for job in jobs]) for key in keys}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize" if mode == "min" else "maximize")
    for job in jobs:
        study.add_trial(
            optuna.trial.create_trial(
                params={key: parameter(job.values.get(key), distributions[key]) for key in keys},
                distributions=distributions,
                value=job.score,
            )
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an estimator that Optuna still changes
        by_variance = find_spec("sklearn") is not None
        kinds = optuna.importance
        evaluator = (
            kinds.FanovaImportanceEvaluator(seed=0)
            if by_variance
            else kinds.PedAnovaImportanceEvaluator()
        )
        found = kinds.get_param_importances(study, evaluator=evaluator)
    return {key: value for key, value in found.items() if math.isfinite(value)}


def distribution(values: Sequence[str | None]) -> Any:
    """Return the distribution that contains the values of a setting: a range, or categories."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    numbers = [parse_number(value) for value in values]
    known = [float(number) for number in numbers if number is not None]
    if len(known) < len(values):
        return CategoricalDistribution(sorted({str(value) for value in values}))
    low, high = min(known), max(known)
    return FloatDistribution(low, high, log=low > 0 and high >= 10 * low)


def parameter(value: str | None, known: Any) -> float | str:
    """Return the value of a setting in the type of its distribution."""
    return str(value) if hasattr(known, "choices") else float(parse_number(value) or 0.0)

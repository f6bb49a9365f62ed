"""The workspace on W&B, by the schema of its own package. Nothing is sent."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from unet_exp.commands import sweep as command
from unet_exp.records.sweep import read_sweep
from unet_exp.sweeps import dashboard
from unet_exp.sweeps.dashboard import DashboardError, publish, workspace

internal = pytest.importorskip(
    "wandb_workspaces.workspaces.internal", reason="--dashboard needs the extra dashboard"
)


@pytest.fixture
def view(drawn: Path) -> Any:
    """The workspace of the drawn sweep as W&B's server gets it, read again by the package."""
    model = workspace(read_sweep(drawn), "our-lab", "cells")._to_model()
    sent = json.loads(model.spec.model_dump_json(by_alias=True))
    assert internal.WorkspaceViewspec.model_validate(sent) == model.spec
    return sent


def panels(view: Any) -> dict[str, list[Any]]:
    sections = view["section"]["panelBankConfig"]["sections"]
    return {one["name"]: one["panels"] for one in sections}


def test_each_setting_has_its_panel(view: Any, drawn: Path) -> None:
    sweep, found = read_sweep(drawn), panels(view)
    assert list(found)[:2] == ["Scores by setting", "Curves"]
    kinds = [one["viewType"] for one in found["Scores by setting"]]
    wanted = ["Scatter Plot"] * len(sweep.parameters)
    assert kinds == [*wanted, "Parallel Coordinates Plot", "Parameter Importance"]
    depth = found["Scores by setting"][0]["config"]
    assert depth["chartTitle"] == "val/seg by model.depth"
    assert (depth["xAxis"], depth["yAxis"]) == ("config:model.value.depth", "summary:val/seg")
    assert [one["viewType"] for one in found["Jobs"]] == ["Run Comparer"]
    assert found["Curves"][0]["config"]["metrics"] == ["val/seg"]
    (runs,) = view["section"]["runSets"]
    (group,) = runs["filters"]["filters"]
    assert (group["key"]["name"], group["value"]) == ("group", sweep.name)
    assert runs["sort"]["keys"][0] == {
        "key": {"section": "summary", "name": "val/seg"}, "ascending": False,
    }  # fmt: skip


def test_the_network_is_missing(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any) -> None:
        raise ConnectionError("no route to api.wandb.ai")

    monkeypatch.setattr("wandb_workspaces.workspaces.Workspace.save", refuse)
    with pytest.raises(DashboardError) as error:
        publish(read_sweep(drawn), "our-lab/cells")
    assert "no route to api.wandb.ai" in str(error.value)
    assert f"repeat unet-sweep {drawn} --dashboard our-lab/cells." in str(error.value)


def test_the_command_prints_the_address(
    drawn: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dashboard, "publish", lambda sweep, target: f"https://w.ai/{target}?nw=1")
    monkeypatch.setattr(sys, "argv", ["unet-sweep", str(drawn), "--dashboard", "our-lab/cells"])
    with pytest.raises(SystemExit) as end:
        command.main()
    assert end.value.code == 0
    assert "dashboard   https://w.ai/our-lab/cells?nw=1" in capsys.readouterr().out


def test_a_missing_package_is_named(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "find_spec", lambda name: None)
    with pytest.raises(DashboardError, match=r"unet-exp\[dashboard\]"):
        publish(read_sweep(drawn), "our-lab/cells")
    with pytest.raises(DashboardError, match="is not ENTITY/PROJECT"):
        publish(read_sweep(drawn), "cells")

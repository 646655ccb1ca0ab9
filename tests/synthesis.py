"""Synthesizes the app for the tests: with settings for each stage, once for each content."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from patchbay.deploy.cdk import use_own_node
from patchbay.deploy.synthesis import synthesize
from patchbay.processes.workspace import BUILD
from patchbay.project.root import ROOT

SETTINGS: dict[str, dict[str, str]] = {
    "local": {"stage": "local", "payments.payment_provider": "https://127.0.0.1:4567"},
    "dev": {"stage": "dev"},
    "prod": {
        "stage": "prod",
        "notifications.mail_from": "Records <shop@records.example>",
        "notifications.mail_to": "{customer}@customers.example",
        "payments.payment_provider": "https://payments.example",
        "payments.payment_credential": (
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:payment-provider-a1B2c3"
        ),
    },
}


def run_app(
    settings: Mapping[str, str], out: Path, root: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run app.py as the CDK CLI would."""
    context = json.loads((root / "cdk.json").read_text())["context"] | dict(settings)
    cdk = {"CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps(context)}
    environment = os.environ | cdk
    use_own_node(environment)
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def assembly(stage: str) -> Path:
    """The app's cloud assembly for a stage, made anew only where its sources have changed."""
    return synthesize(stage, SETTINGS[stage], into=BUILD / "test-assemblies")


def templates_in(out: Path) -> dict[str, dict[str, object]]:
    """Every template of an assembly, by the name of its stack."""
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in sorted(out.glob("*.template.json"))
    }

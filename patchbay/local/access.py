"""Who a client of the local cloud is, where it goes, and whom it trusts."""

import os
import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from patchbay.processes.ports import HOST

STAGE = "local"
ACCOUNT = "000000000000"
REGION = "us-east-1"

# What the machine's user has set for AWS and for the network is not meant for the local cloud.
_FOREIGN = ("AWS_", "CDK_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def _new_key() -> str:
    alphabet = string.ascii_uppercase + string.digits
    return "AKIA" + "".join(secrets.choice(alphabet) for _ in range(16))


@dataclass(frozen=True, kw_only=True)
class Access:
    """One run's address and authority, with its root caller's credentials, new in every run."""

    port: int
    authority: Path
    key: str = field(default_factory=_new_key, repr=False)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(30), repr=False)

    @property
    def endpoint(self) -> str:
        """The address, not a name: with a name, clients address buckets as its sub-domains."""
        return f"https://{HOST}:{self.port}"

    @property
    def exports(self) -> dict[str, str]:
        """What another shell must set, for boto3 and the AWS CLI to reach the cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.authority),
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": REGION,
        }

    @property
    def environ(self) -> dict[str, str]:
        """A client's whole environment: the machine's, with all that concerns AWS replaced."""
        kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(_FOREIGN)}
        return kept | self.exports | self.surroundings

    @property
    def surroundings(self) -> dict[str, str]:
        """What holds for clients and for the cloud's own functions alike."""
        trusted = ("AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
        return {name: str(self.authority) for name in trusted} | {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": REGION,
            "NO_PROXY": HOST,
            "no_proxy": HOST,
        }

    def client(self, service: str) -> Any:
        """A boto3 client that reaches this cloud, whatever the process's environment says."""
        nowhere = (None, None, os.devnull, None)
        untouched = botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": nowhere,
                "credentials_file": nowhere,
            }
        )
        session: Any = boto3.Session(  # not its hundreds of overloads: the service is any
            botocore_session=untouched,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name=REGION,
        )
        return session.client(
            service,
            endpoint_url=self.endpoint,
            verify=str(self.authority),
            config=Config(proxies={}, max_pool_connections=50),
        )

"""Access to the local cloud: its endpoint, its credentials and its certificate authority."""

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

# The user's own settings for AWS and for the network must not affect the local cloud.
_FOREIGN = ("AWS_", "CDK_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def _new_key() -> str:
    alphabet = string.ascii_uppercase + string.digits
    return "AKIA" + "".join(secrets.choice(alphabet) for _ in range(16))


@dataclass(frozen=True, kw_only=True)
class Access:
    """The endpoint, authority and root credentials of one run; each run has new credentials."""

    port: int
    authority: Path
    key: str = field(default_factory=_new_key, repr=False)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(30), repr=False)

    @property
    def endpoint(self) -> str:
        """Return the URL. It has an IP address: with a host name, buckets would be sub-domains."""
        return f"https://{HOST}:{self.port}"

    @property
    def exports(self) -> dict[str, str]:
        """Return the variables with which another shell's boto3 and AWS CLI reach the cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.authority),
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": REGION,
        }

    @property
    def environ(self) -> dict[str, str]:
        """Return a client's environment: the machine's, with everything about AWS replaced."""
        kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(_FOREIGN)}
        return kept | self.exports | self.surroundings

    @property
    def surroundings(self) -> dict[str, str]:
        """Return the variables that clients and the cloud's functions have in common."""
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
        """Return a boto3 client for this cloud; it ignores the process's own AWS settings."""
        nowhere = (None, None, os.devnull, None)
        isolated = botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": nowhere,
                "credentials_file": nowhere,
            }
        )
        session: Any = boto3.Session(  # Any: not boto3's overloads, since the service is any
            botocore_session=isolated,
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

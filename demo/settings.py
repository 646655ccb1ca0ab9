"""The stage that the demo deploys, and its settings."""

from patchbay.local.access import STAGE as STAGE

MAIL_FROM = "shop@example.com"

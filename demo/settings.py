"""The stage that the demo deploys, and the settings that it gives the shop there."""

from patchbay.local.access import STAGE as STAGE

MAIL_FROM = "shop@example.com"

"""What the system is told when it is deployed to the local cloud."""

STAGE = "local"
MAIL_FROM = "shop@example.com"

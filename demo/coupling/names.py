"""The names of the two shops and their services, in a module without CDK."""

NAME = "coupling"  # of the request-response shop, and of all its resources
EVENT_DRIVEN = "event-driven"
REQUEST_RESPONSE = "request-response"
SERVICES = ("orders", "payments", "fulfilment", "notifications")

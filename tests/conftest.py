"""What holds for every test: no way to a real AWS account, and the same inputs in every run."""

import os

from hypothesis import settings

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

settings.register_profile(
    "patchbay", deadline=None, max_examples=50, derandomize=True, database=None
)
settings.load_profile("patchbay")

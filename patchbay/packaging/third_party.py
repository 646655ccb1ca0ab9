"""The check that a handler's third-party imports are in the layer or in Lambda's runtime.

Without it, a handler that imports a package of the development environment would pass every test,
and each of its invocations on AWS would fail with "No module named …".
"""

import sys
import zipfile
from functools import lru_cache
from pathlib import Path

from patchbay.errors import UserError
from patchbay.packaging.imports import Sources

# The packages in Lambda's Python runtimes, besides the standard library: boto3 and what it needs.
RUNTIME = frozenset(
    {"awslambdaric", "boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}
)


class NotInLayer(UserError):
    """A function imports a package that is missing on AWS."""


def check_imports(handler: str, layer: Path, sources: Sources | None = None) -> None:
    """Raise NotInLayer where a handler, or a module that it imports, needs a missing package.

    An import that handles its own failure, in a `try` with `except ImportError`, may fail.
    """
    sources = sources or Sources()
    available = RUNTIME | sys.stdlib_module_names | modules_in(layer)
    missing = {
        (str(sources.place_of(module)), name)
        for module in sources.needed(handler)
        for each in sources.imports(module)
        if not each.optional
        and not sources.has(each.module)
        and (name := each.module.partition(".")[0]) not in available
    }
    if missing:
        raise NotInLayer(
            "\n".join(
                f"{place} imports {name}, which is not in the layer: add it to "
                "functions/requirements.in and run `make lock`."
                for place, name in sorted(missing)
            )
        )


@lru_cache(maxsize=16)
def modules_in(layer: Path) -> frozenset[str]:
    """Return the top-level modules and packages in a layer's zip file."""
    with zipfile.ZipFile(layer) as archive:
        entries = [name.split("/") for name in archive.namelist()]
    # Below python/: a package's folder, module.py, or module.cpython-314-aarch64-linux-gnu.so.
    tops = {parts[1].partition(".")[0] for parts in entries if parts[0] == "python" and parts[1:]}
    return frozenset(top for top in tops if top.isidentifier())

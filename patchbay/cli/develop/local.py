"""`patchbay local`."""


def local() -> None:
    """Run the system on this machine, with its console, until Ctrl-C.

    It prints its log, and the variables that another shell must set to use it.

    Example: patchbay local
    """
    from patchbay.local.up import run

    run()

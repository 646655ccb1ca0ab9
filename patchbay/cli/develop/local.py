"""`patchbay local`."""


def local() -> None:
    """Run the system on this machine, with its console, until Ctrl-C.

    Its log is in the foreground. It prints what another shell must set to reach it.

    Example: patchbay local
    """
    from patchbay.local.up import run

    run()

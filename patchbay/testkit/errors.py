"""What the kit says when it can't tell what AWS would do, or when AWS would refuse to deploy."""


class NotInTheKit(NotImplementedError):
    """The templates, or the code, use something of AWS that the kit does not know.

    It names what that is and where. Nothing that could change an outcome is passed over in
    silence: teach the kit, or keep that part out of the kit's tests.
    """


class NotDeployable(AssertionError):
    """CloudFormation would refuse the template."""

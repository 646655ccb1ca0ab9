"""The kit's errors: it can't simulate something, or AWS would refuse a deployment."""


class NotInTheKit(NotImplementedError):
    """The templates or the code use a feature of AWS that the kit does not simulate.

    The message names the feature and the place. The kit ignores nothing that could change an
    outcome: extend the kit, or test that part elsewhere.
    """


class NotDeployable(AssertionError):
    """CloudFormation would refuse the template."""

"""What can go wrong, one class per thing a caller can handle.

Every message says what was being done, to what, what was found, and what to do next. The command
line prints it as one sentence and leaves with ``exit_code``.
"""

from __future__ import annotations


class KvmnbError(Exception):
    """Something asked for could not be done, and nothing was changed."""

    exit_code = 2


class SourceError(KvmnbError):
    """A machine, a recording or a connection cannot be opened."""


class XmlError(KvmnbError):
    """A text is not XML that may be read or edited here."""


class DomainGone(KvmnbError):
    """A domain is no longer there, or it is another one under the same name."""


class NotAnswered(KvmnbError):
    """This source has no answer: a recording asked for live state, a driver without the call."""


class Refused(KvmnbError):
    """A request is understood and not allowed."""


class Conflict(KvmnbError):
    """Two wants disagree, or their results do."""


class StalePlan(KvmnbError):
    """The machine is no longer as the plan saw it; nothing was written."""

    exit_code = 1


class NotConfirmed(KvmnbError):
    """A plan that had to be confirmed was not, in time; what it had changed is taken back."""

    exit_code = 1


class WriteFailed(KvmnbError):
    """A tunable did not take a value, or did not keep it."""


class ApplyFailed(KvmnbError):
    """A plan stopped at a step, and what it had done was taken back."""


class NotTakenBack(KvmnbError):
    """Something was changed and could not be taken back."""

    exit_code = 3

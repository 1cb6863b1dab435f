"""Who manages a domain: programs that may write its XML anew and so undo what is changed here."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainOwner(Fact):
    """One program that manages a domain."""

    name: str
    """Its name: OpenStack, oVirt, KubeVirt, OpenNebula, CloudStack, Vagrant, Terraform, Pacemaker."""
    evidence: str
    """What shows it, in one phrase."""
    set_there: str
    """Where such things are set so that they last, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterResource(Fact):
    """One guest of the host's Pacemaker cluster: a ``VirtualDomain`` resource of its configuration."""

    id: str
    """The resource's name."""
    config: str
    """The domain XML that the cluster starts the guest from; the parameter ``config``."""
    domain: str
    """The name of the guest: the one in that XML, else the file's name."""

"""What a person intends, for a host whose names are stand-ins."""

from __future__ import annotations

from dataclasses import replace

from kvmnb.advise.intent import GuestIntent, Intent
from kvmnb.advise.mute import Mute
from kvmnb.core.errors import KvmnbError
from kvmnb.share.pseudonyms import UUID
from kvmnb.share.scrub import Scrub
from kvmnb.tunable.spelling import percent_decode, percent_encode

LEFT_OUT = "the reason is left out here"


def under_stand_ins(intent: Intent, scrub: Scrub) -> Intent:
    """The intent with its guests and its mutes' subjects under the names that the recording has for them."""
    return replace(
        intent,
        guest={_guest(name, scrub): _said(said, scrub) for name, said in intent.guest.items()},
        mutes=tuple(_mute(one, scrub) for one in intent.mutes),
        file=None,
    )


def _guest(name: str, scrub: Scrub) -> str:
    if UUID.fullmatch(name):
        return scrub.made.uuid(name, "domain/uuid")
    return scrub.made.name(name, "domain/name")


def _said(said: GuestIntent, scrub: Scrub) -> GuestIntent:
    return replace(said, os=scrub.kept(said.os, "intent/os") if said.os else said.os)


def _mute(mute: Mute, scrub: Scrub) -> Mute:
    scrub.made.drop(mute.reason, "mute/reason")
    return replace(mute, reason=LEFT_OUT, subject=None if mute.subject is None else _subject(mute.subject, scrub))


def _subject(subject: str, scrub: Scrub) -> str:
    """``domain/NAME/disk/vda`` under stand-ins."""
    first, *rest = subject.split("/")
    if first == "domain" and rest:
        rest[0] = percent_encode(scrub.made.name(_decoded(rest[0]), "domain/name"))
        rest[1:] = [scrub.plain(part, "mute/subject") for part in rest[1:]]
    else:
        rest = [scrub.plain(part, "mute/subject") for part in rest]
    return "/".join((first, *rest))


def _decoded(name: str) -> str:
    try:
        return percent_decode(name)
    except KvmnbError:
        return name

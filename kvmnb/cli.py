"""The command line: the verbs for a terminal.

Exit codes: 0 done or clean; 1 findings, a stale plan, something differs; 2 usage or failure, in one
sentence on stderr and with nothing changed; 3 something changed and could not be taken back.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from kvmnb import __version__
from kvmnb.core.errors import KvmnbError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    try:
        options = _parser().parse_args(arguments)
        return int(options.run(options))
    except KvmnbError as problem:
        print(f"kvmnb: {problem}", file=sys.stderr)
        return problem.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`| head`); Python would complain once more at exit.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("kvmnb: stopped by the keyboard", file=sys.stderr)
        return 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message}; see `{self.prog} --help`", file=sys.stderr)
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    from kvmnb.terminal import commands

    parser: argparse.ArgumentParser = _Parser(
        prog="kvmnb", description="See how a KVM host and its guests are tuned, and change it safely."
    )
    parser.add_argument("--version", action="version", version=f"kvmnb {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    commands.add_all(verbs)
    return parser


if __name__ == "__main__":
    sys.exit(main())

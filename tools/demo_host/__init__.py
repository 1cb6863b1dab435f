"""The generator of the demo host, the recording that ships as ``kvmnb/demo/host``.

``python -m tools.demo_host`` writes the folder anew; ``--check`` tells what differs. Every value follows
from the short description in these modules, so that numbers that must agree come from one place.
"""

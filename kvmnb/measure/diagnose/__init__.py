"""The patterns of slowness, one file each, and the diagnosis that asks all of them."""

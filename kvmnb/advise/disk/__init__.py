"""Rules about guest disks, their images and what serves them."""

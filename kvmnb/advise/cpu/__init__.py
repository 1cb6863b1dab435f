"""Rules about host CPUs, vCPUs, pins and clocks."""

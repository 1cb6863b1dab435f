"""Plain tools that know nothing of KVM."""

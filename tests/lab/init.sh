#!/bin/busybox sh
# The first process of the lab's guest: loads drivers, says it is ready, gives a shell on the serial port.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ TERM=dumb
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module; do
    insmod "/modules/$module.ko"
done </modules/order

mkdir -p /etc/acpi/PWRF /var/log /var/run
printf '#!/bin/sh\npoweroff -f\n' >/etc/acpi/PWRF/00000080
chmod +x /etc/acpi/PWRF/00000080
acpid

busy=0
for word in $(cat /proc/cmdline); do
    case $word in kvmnb.busy=*) busy=${word#*=} ;; esac
done
while [ "$busy" -gt 0 ]; do
    sh -c 'while :; do :; done' &
    busy=$((busy - 1))
done

echo "kvmnb-guest ready: $(uname -r), $(nproc) vCPUs" >/dev/ttyS0
while :; do
    setsid cttyhack sh </dev/ttyS0 >/dev/ttyS0 2>&1
done

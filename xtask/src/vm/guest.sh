#!/bin/busybox sh
# The first process of the machine: tries the product, tells what came of it, powers off.
#
# Each line that it tells is `STEP KIND TEXT`, on a serial line of its own. KIND is `out`,
# `err` or, at the end of a step, `exit` with the code.

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t bpf bpf /sys/fs/bpf
stty -F /dev/ttyS1 raw -echo
exec 3>/dev/ttyS1

# step NAME COMMAND...
step() {
    name=$1
    shift
    "$@" >"/tmp/$name.out" 2>"/tmp/$name.err"
    code=$?
    sed "s/^/$name out /" "/tmp/$name.out" >&3
    sed "s/^/$name err /" "/tmp/$name.err" >&3
    echo "$name exit $code" >&3
}

fingerprint() {
    palisade --json fingerprint pcap --engine kernel "/corpus/$1"/*.pcap
}

interfaces() {
    insmod /veth.ko && ip link add edge type veth && ip link set edge up
}

# The daemon's life, from its start to its end by a signal. Its steps tell for themselves.
daemon() {
    palisaded --interface edge --pin-dir "$pins" --state-dir /tmp/state --run-dir /run &
    daemon=$!
    # Until it answers, or isn't there any more; whoever booted the machine has patience
    # for only so long.
    until [ -S "$socket" ] || ! kill -0 "$daemon" 2>/dev/null; do sleep 0.1; done
    if kill -0 "$daemon" 2>/dev/null; then
        (step status palisade --json --socket "$socket" status)
        (step program cat /proc/"$daemon"/fdinfo/*)
        kill -TERM "$daemon"
    fi
    wait "$daemon"
}

pins=/sys/fs/bpf/palisade
socket=/run/control.sock
step release uname -r
step hellos fingerprint hellos
step evasion fingerprint evasion
step interfaces interfaces
step daemon daemon
step detach palisade --socket "$socket" detach --pins "$pins"
poweroff -f

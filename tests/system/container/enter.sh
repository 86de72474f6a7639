#!/bin/sh
# Enter a root file system like the image's, and become a command in it:
#     enter.sh ROOT ENVIRONMENT PYTHON DATA COMMAND...
# Read-only but for /data and a /tmp of its own; a user without a name; no HOME. `unshare` has given
# this script mounts, processes and a network (without any device) of its own.
set -eu
root=$1 environment=$2 python=$3 data=$4
shift 4

mount -t tmpfs tmpfs "$root"
mkdir "$root/data" "$root/proc" "$root/tmp" "$root/dev"
# First of all, since the environment may lie under /tmp.
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for folder in /bin /sbin /lib /lib64; do
    if [ -L "$folder" ]; then
        ln -s "$(readlink "$folder")" "$root$folder"
    elif [ -d "$folder" ]; then
        mkdir "$root$folder"
        mount --bind -o ro "$folder" "$root$folder"
    fi
done
for folder in /usr "$python" "$environment"; do
    mkdir -p "$root$folder"
    mount --bind -o ro "$folder" "$root$folder"
done
mount --bind "$data" "$root/data"
mount -t proc proc "$root/proc"
for device in null zero urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
# Container engines give one, and semaphores live there.
mkdir "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -o remount,ro "$root"
exec chroot "$root" setpriv --reuid 54321 --regid 54321 --clear-groups --no-new-privs \
    env -i --chdir=/data PATH="$environment/bin:/usr/bin:/bin" "$@"

#!/bin/sh
# Runs a guest under QEMU's pseries machine, as a second opinion: qemu.sh NAME-ORDER [QEMU OPTIONS], after build.sh --qemu.
# qemu.sh booke-be runs it on QEMU's ppce500.
# qemu.sh book3s32-be runs it on QEMU's Power Macintosh, which stays on: end it when the verdict is there.
#
# A firmware image of five words at 0x100 enters the kernel as PowerVisor does: r3 = device tree, r4 = 0x400000, r5 = 0.
set -eu
cd "$(dirname "$0")"
name=$1
shift
if [ "$name" = book3s32-be ]; then
    exec qemu-system-ppc -M mac99,via=pmu -cpu 7400 -m 256 -nic none -vga none -display none -serial stdio -monitor none \
        -kernel "target/qemu/$name.elf" "$@"
fi
if [ "$name" = booke-be ]; then
    exec qemu-system-ppc -M ppce500 -cpu e500v2 -m 128 -nic none -vga none -display none -serial stdio -monitor none \
        -no-reboot -kernel "target/qemu/$name.elf" "$@"
fi
firmware=target/qemu/enter.bin
{
    head -c 256 /dev/zero
    printf '\074\200\000\100'   # lis r4,0x40
    printf '\174\211\003\246'   # mtctr r4
    printf '\070\240\000\000'   # li r5,0
    printf '\116\200\004\040'   # bctr
} > "$firmware"
exec qemu-system-ppc64 -M pseries,cap-htm=off,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off \
    -m 256 -nodefaults -display none -serial stdio -monitor none \
    -bios "$firmware" -kernel "target/qemu/$name.elf" "$@"

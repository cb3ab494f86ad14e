#!/usr/bin/env bash
# Builds valgrind's tests of POWER instructions. Installs nothing, needs no root.
#
#   build.sh SOURCE OUT
#
# SOURCE has valgrind's source, which is used where it is and never becomes part of this repository. OUT/{be,le,32} get
# the static programs (64-bit big-endian, 64-bit little-endian, 32-bit), the descriptions (.vgtest) and the recorded
# outputs (.stdout.exp*). `cargo xtask hardware` calls this, and knows the packages that it needs.
set -euo pipefail
export LC_ALL=C
mkdir -p "$2"
source=$(cd "$1" && pwd)
out=$(cd "$2" && pwd)

# flags NAME: what the source's Makefile.am gives its program.
flags() {
    case $1 in
        jm-insns) echo '-maltivec -DHAS_ALTIVEC -Wl,-z,norelro' ;;
        testVMX) echo '-maltivec -mabi=altivec -DALTIVEC -DGCC_COMPILER' ;;
        test_isa_2_06*) echo '-maltivec -mvsx -DHAS_ALTIVEC -DHAS_VSX' ;;
        subnormal_test) echo '-mcpu=power7 -DHAS_ALTIVEC -DHAS_VSX -DHAS_ISA_2_06' ;;
        test_isa_2_07* | power_ISA2_07) echo '-mcpu=power8 -DHAS_ISA_2_07' ;;
        test_dfp*) echo '-mhard-dfp -mcpu=power7 -DHAS_DFP -std=gnu99' ;;
        test_isa_3_1_R1*) echo '-mcpu=power10 -DHAS_ISA_3_1 -Wl,-Tbss,0x20000 -Wl,-Ttext,0x40000' ;;
        test_isa_3_1* | test_copy_paste) echo '-mcpu=power10 -DHAS_ISA_3_1' ;;
        test_lxvx_stxvx) echo '-mcpu=power9 -DHAS_ISA_2_07' ;;
        test_isa_3_0 | scv_test | test_mod_instructions | test_darn_inst | test_mcrxrx) echo '-mcpu=power9 -DHAS_ISA_3_00' ;;
    esac
}

# build TO FOLDER COMPILER PLATFORM: what cannot be compiled for a processor is told and left out.
build() {
    local to=$out/$1 folder=$source/$2 file name more
    mkdir -p "$to"
    cp "$folder"/*.vgtest "$folder"/*.stdout.exp* "$to"
    for file in "$folder"/*.c; do
        name=$(basename "$file" .c) more=()
        case $name in
            *_common | allexec) continue ;;
            lsw | ldst_multiple) [ "$1" != le ] || continue ;;
            test_isa_3_1_*) more=("$folder/test_isa_3_1_common.c") ;;
        esac
        # shellcheck disable=SC2046
        "$3-gcc" -static -w -O -mregnames "-DVGO_linux=1" "-DVGA_$4=1" "-DVGP_$4_linux=1" \
            -I"$out" -I"$source" -I"$source/include" $(flags "$name") -o "$to/$name" "$file" "${more[@]}" -lm -s 2> "$to/$name.log" ||
            echo "SKIP $1 $name: it does not compile"
    done
}

[ ! -f "$out/.built" ] || exit 0
touch "$out/config.h"
for kind in none memcheck; do
    build be $kind/tests/ppc64 powerpc64-linux-gnu ppc64be
    build le $kind/tests/ppc64 powerpc64le-linux-gnu ppc64le
    build 32 $kind/tests/ppc32 powerpc-linux-gnu ppc32
done
touch "$out/.built"

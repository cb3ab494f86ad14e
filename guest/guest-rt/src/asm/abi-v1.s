# ELFv1 (big-endian): a function's symbol names its descriptor in .opd; the code has a local label.
    .macro FUNC name
    .section .opd, "aw"
    .p2align 3
    .globl \name
    .type \name, @function
\name:
    .quad .Lcode_\name, .TOC.@tocbase, 0
    .text
.Lcode_\name:
    .endm

# A big-endian image is always entered in its own byte order.
    .macro ENTER_OWN_BYTE_ORDER
    .endm

# Behind mtmsrd: calls a function on a stack of its own.
.macro CALL_ON top, function
    isync
    lis     %r2, .TOC.@ha
    addi    %r2, %r2, .TOC.@l
    lis     %r1, \top@ha
    addi    %r1, %r1, \top@l
    li      %r0, 0
    stdu    %r0, -112(%r1)
    bl      \function
    nop
.endm

# Entry: r3 = flattened device tree (0 = none), real mode, either byte order, SF 0 or 1.
    .section .head, "ax"
    .globl _start
_start:
    ENTER_OWN_BYTE_ORDER
    mfmsr   %r10                 # SF=1, RI=1, nothing else changes
    li      %r12, 1
    rldimi  %r10, %r12, 63, 0
    ori     %r10, %r10, 2
    mtmsrd  %r10
    CALL_ON boot_stack_top, start
.Lhalt:
    b       .Lhalt

# A second processor, as RTAS start-cpu has it begin: real mode, big-endian, SF=1.
    .text
    .globl second_start
second_start:
    ENTER_OWN_BYTE_ORDER
    mfmsr   %r10                 # RI=1, nothing else changes
    ori     %r10, %r10, 2
    mtmsrd  %r10
    CALL_ON second_stack_top, second
.Lsecond_halt:
    b       .Lsecond_halt

    .section .bss.second_stack, "aw", @nobits
    .p2align 12
    .skip 0x8000
second_stack_top:
    .section .bss.stack, "aw", @nobits
    .p2align 12
    .skip 0x8000
boot_stack_top:
    .text

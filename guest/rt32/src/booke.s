# Entry as ePAPR has it: r3 = flattened device tree, 32-bit mode, TLB1 maps the first memory one to one.
    .section .head, "ax"
    .globl _start
_start:
    lis     %r1, boot_stack_top@ha
    addi    %r1, %r1, boot_stack_top@l
    li      %r0, 0
    stwu    %r0, -16(%r1)
    bl      start
3:  b       3b

    .section .bss.stack, "aw", @nobits
    .p2align 12
    .skip 0x8000
boot_stack_top:
    .text

# Interrupt n goes to vectors + 16 * n; numbers 16 to 19 stand for IVOR32 to IVOR35. The watchdog is of the critical
# level: it counts, clears its status and returns.
    .p2align 9
    .globl vectors
vectors:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    stw     %r1, 0x80(0)
    li      %r1, \n
    b       exception_entry
    nop
    .endr
    b       watchdog
    nop
    nop
    nop
    .irp    n, 13, 14, 15, 16, 17, 18, 19
    stw     %r1, 0x80(0)
    li      %r1, \n
    b       exception_entry
    nop
    .endr

watchdog:
    mtsprg  3, %r1
    lis     %r1, 0xc000             # TSR[ENW], TSR[WIS]
    mtspr   336, %r1
    mfsprg  %r1, 2
    addi    %r1, %r1, 1
    mtsprg  2, %r1
    mfsprg  %r1, 3
    .long   0x4c000066              # rfci

# What the common part has to know.
    .set SPR_DAR, 61
    .set SPR_STATUS, 62
    .macro  on_arrival
    .endm

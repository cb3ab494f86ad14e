# Entry: r3 = flattened device tree or something else, big-endian, translation on (firmware) or off (direct entry).
    .section .head, "ax"
    .globl _start
_start:
    bl      1f
1:  mflr    %r4
    addi    %r4, %r4, 2f - 1b
    mtsrr0  %r4
    li      %r5, 0x1002             # ME, RI
    mtsrr1  %r5
    rfi
2:  lis     %r1, boot_stack_top@ha
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

# What the common part has to know.
    .set SPR_DAR, 19
    .set SPR_STATUS, 18
    .macro  on_arrival
    mfmsr   %r3
    ori     %r3, %r3, 0x1002        # a machine check has cleared ME
    mtmsr   %r3
    isync
    .endm

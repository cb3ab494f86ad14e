# Entry as ePAPR has it: r3 = flattened device tree, 32-bit mode, TLB1 maps the first memory one to one.
    .section .head, "ax"
    .globl _start
_start:
    lis     %r1, boot_stack_top@ha
    addi    %r1, %r1, boot_stack_top@l
    li      %r0, 0
    stwu    %r0, -16(%r1)
    lis     %r4, frame_top@ha
    lis     %r5, exception_stack_top@ha
    addi    %r5, %r5, exception_stack_top@l
    stw     %r5, frame_top@l(%r4)
    bl      start
3:  b       3b

    .section .bss.stack, "aw", @nobits
    .p2align 12
    .skip 0x8000
boot_stack_top:
frame_top:
    .skip 4
probe_stack:
    .skip 4
    .text

# Interrupt n goes to vectors + 16 * n; numbers 16 to 19 stand for IVOR32 to IVOR35. The watchdog is of the critical
# level: it counts, clears its status and returns.
    .p2align 9
    .globl vectors
vectors:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    mtsprg  0, %r1
    li      %r1, \n
    b       exception_entry
    nop
    .endr
    b       watchdog
    nop
    nop
    nop
    .irp    n, 13, 14, 15, 16, 17, 18, 19
    mtsprg  0, %r1
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

    .set FRAME, 32
    .set STRIDE, 4096

exception_entry:                    # SPRG0 = interrupted r1, r1 = number
    mtsprg  1, %r1
    lis     %r1, frame_top@ha
    lwz     %r1, frame_top@l(%r1)
    addi    %r1, %r1, -STRIDE
    stmw    %r2, FRAME + 8(%r1)
    stw     %r0, FRAME(%r1)
    lis     %r2, frame_top@ha
    stw     %r1, frame_top@l(%r2)
    mfsprg  %r3, 0
    stw     %r3, FRAME + 4(%r1)
    mfsrr0  %r3
    stw     %r3, FRAME + 128(%r1)
    mfsrr1  %r3
    stw     %r3, FRAME + 132(%r1)
    mfcr    %r3
    stw     %r3, FRAME + 136(%r1)
    mflr    %r3
    stw     %r3, FRAME + 140(%r1)
    mfctr   %r3
    stw     %r3, FRAME + 144(%r1)
    mfxer   %r3
    stw     %r3, FRAME + 148(%r1)
    mfsprg  %r3, 1
    stw     %r3, FRAME + 152(%r1)
    mfspr   %r3, 61
    stw     %r3, FRAME + 156(%r1)
    mfspr   %r3, 62
    stw     %r3, FRAME + 160(%r1)
    mfmsr   %r3
    stw     %r3, FRAME + 164(%r1)
    li      %r0, 0
    stw     %r0, 0(%r1)
    addi    %r3, %r1, FRAME
    bl      exception_dispatch
    lis     %r2, frame_top@ha
    addi    %r3, %r1, STRIDE
    stw     %r3, frame_top@l(%r2)
    addi    %r1, %r1, FRAME
    b       .Lload_and_return

# probe_enter(frame: *const Frame): saves the caller and continues at the frame's srr0 with all its registers.
# Returns when `exception_dispatch` sends an interrupt to probe_exit.
    .globl probe_enter
probe_enter:
    mflr    %r0
    stw     %r0, 4(%r1)
    stwu    %r1, -112(%r1)
    stmw    %r13, 24(%r1)
    stw     %r2, 16(%r1)
    mfcr    %r0
    stw     %r0, 20(%r1)
    lis     %r4, probe_stack@ha
    stw     %r1, probe_stack@l(%r4)
    mr      %r1, %r3

.Lload_and_return:                  # r1 = frame
    lwz     %r3, 128(%r1)
    mtsrr0  %r3
    lwz     %r3, 132(%r1)
    mtsrr1  %r3
    lwz     %r3, 136(%r1)
    mtcr    %r3
    lwz     %r3, 140(%r1)
    mtlr    %r3
    lwz     %r3, 144(%r1)
    mtctr   %r3
    lwz     %r3, 148(%r1)
    mtxer   %r3
    lwz     %r0, 0(%r1)
    lmw     %r2, 8(%r1)
    lwz     %r1, 4(%r1)
    rfi

    .globl probe_exit
probe_exit:
    lis     %r1, probe_stack@ha
    lwz     %r1, probe_stack@l(%r1)
    lwz     %r0, 20(%r1)
    mtcr    %r0
    lwz     %r2, 16(%r1)
    lmw     %r13, 24(%r1)
    addi    %r1, %r1, 112
    lwz     %r0, 4(%r1)
    mtlr    %r0
    blr

    .section .bss.frames, "aw", @nobits
    .p2align 12
    .skip 4 * STRIDE
exception_stack_top:
    .skip 64
    .text

# call_words(words: *mut [u32; 10]): r0 = words[9], r3..r11 = words; `sc`; words = r3..r11.
    .globl call_words
call_words:
    stwu    %r1, -32(%r1)
    stw     %r31, 28(%r1)
    mr      %r31, %r3
    lwz     %r0, 36(%r31)
    .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11
    lwz     \n, (\n - 3) * 4(%r31)
    .endr
    sc
    .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11
    stw     \n, (\n - 3) * 4(%r31)
    .endr
    lwz     %r31, 28(%r1)
    addi    %r1, %r1, 32
    blr

# The common part. The family has set SPR_DAR and SPR_STATUS and defined on_arrival, which may use r3.
# A vector is: stw r1, 0x80(0);  li r1, VECTOR;  b exception_entry
# Low memory:
#     0x80 interrupted r1   0x84 vector   0x88 frame stack top   0x8c stack pointer of the running probe
    .set FRAME, 32
    .set STRIDE, 4096

    .globl exception_entry
exception_entry:
    stw     %r1, 0x84(0)
    lwz     %r1, 0x88(0)
    addi    %r1, %r1, -STRIDE
    stw     %r1, 0x88(0)
    stmw    %r2, FRAME + 8(%r1)
    stw     %r0, FRAME(%r1)
    lwz     %r3, 0x80(0)
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
    lwz     %r3, 0x84(0)
    stw     %r3, FRAME + 152(%r1)
    mfspr   %r3, SPR_DAR
    stw     %r3, FRAME + 156(%r1)
    mfspr   %r3, SPR_STATUS
    stw     %r3, FRAME + 160(%r1)
    mfmsr   %r3
    stw     %r3, FRAME + 164(%r1)
    on_arrival
    li      %r0, 0
    stw     %r0, 0(%r1)
    addi    %r3, %r1, FRAME
    bl      exception_dispatch
    addi    %r3, %r1, STRIDE
    stw     %r3, 0x88(0)
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
    stw     %r1, 0x8c(0)
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
    lwz     %r1, 0x8c(0)
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
    .globl exception_stack_top
exception_stack_top:
    .text

# call_words(words: *mut [u32; 10], instruction: u32): r0 = words[9], r3..r11 = words; `sc`, or `sc 1` when instruction
# is not 0; words = r3..r11.
    .globl call_words
call_words:
    stwu    %r1, -32(%r1)
    stw     %r31, 28(%r1)
    mr      %r31, %r3
    cmpwi   %r4, 0
    lwz     %r0, 36(%r31)
    .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11
    lwz     \n, (\n - 3) * 4(%r31)
    .endr
    bne     1f
    sc
    b       2f
1:  .long   0x44000022
2:  .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11
    stw     \n, (\n - 3) * 4(%r31)
    .endr
    lwz     %r31, 28(%r1)
    addi    %r1, %r1, 32
    blr

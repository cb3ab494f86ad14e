# Interrupts. Each vector holds three words written by `exception::install`:
#     std r1, 0x80(0);  li r1, VECTOR;  b exception_entry
# Low memory (real address = effective address, RA = 0) is the only thing reachable without a free register:
#     0x80 interrupted r1   0x88 vector   0x90 frame stack top   0x98 stack pointer of the running probe
    .set FRAME, 112
    .set STRIDE, 4096

    .text
    .globl exception_entry
exception_entry:
    std     %r1, 0x88(0)
    ld      %r1, 0x90(0)
    addi    %r1, %r1, -STRIDE
    std     %r1, 0x90(0)
    .irp    n, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    std     \n, FRAME + \n * 8(%r1)
    .endr
    ld      %r3, 0x80(0)
    std     %r3, FRAME + 8(%r1)
    mfsrr0  %r3
    std     %r3, FRAME + 256(%r1)
    mfsrr1  %r3
    std     %r3, FRAME + 264(%r1)
    mfcr    %r3
    std     %r3, FRAME + 272(%r1)
    mflr    %r3
    std     %r3, FRAME + 280(%r1)
    mfctr   %r3
    std     %r3, FRAME + 288(%r1)
    mfxer   %r3
    std     %r3, FRAME + 296(%r1)
    ld      %r3, 0x88(0)
    std     %r3, FRAME + 304(%r1)
    mfdar   %r3
    std     %r3, FRAME + 312(%r1)
    mfdsisr %r3
    std     %r3, FRAME + 320(%r1)
    mfmsr   %r3
    std     %r3, FRAME + 328(%r1)
    li      %r0, 0
    std     %r0, 0(%r1)
    lis     %r2, .TOC.@ha
    addi    %r2, %r2, .TOC.@l
    addi    %r3, %r1, FRAME
    bl      exception_dispatch
    nop
    addi    %r3, %r1, STRIDE
    std     %r3, 0x90(0)
    addi    %r1, %r1, FRAME
    b       .Lload_and_return

# probe_enter(frame: *const Frame): saves the caller and continues at the frame's srr0 with all its registers.
# Returns when `exception_dispatch` sends an interrupt to probe_exit.
    FUNC probe_enter
    mflr    %r0
    std     %r0, 16(%r1)
    mfcr    %r0
    std     %r0, 8(%r1)
    stdu    %r1, -288(%r1)
    .irp    n, 2, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    std     \n, 32 + \n * 8(%r1)
    .endr
    std     %r1, 0x98(0)
    mr      %r1, %r3

.Lload_and_return:              # r1 = frame
    ld      %r3, 256(%r1)
    mtsrr0  %r3
    ld      %r3, 264(%r1)
    mtsrr1  %r3
    ld      %r3, 272(%r1)
    mtcr    %r3
    ld      %r3, 280(%r1)
    mtlr    %r3
    ld      %r3, 288(%r1)
    mtctr   %r3
    ld      %r3, 296(%r1)
    mtxer   %r3
    .irp    n, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 1
    ld      \n, \n * 8(%r1)
    .endr
    rfid

    .globl probe_exit
probe_exit:
    ld      %r1, 0x98(0)
    .irp    n, 2, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld      \n, 32 + \n * 8(%r1)
    .endr
    addi    %r1, %r1, 288
    ld      %r0, 8(%r1)
    mtcr    %r0
    ld      %r0, 16(%r1)
    mtlr    %r0
    blr

    .section .bss.frames, "aw", @nobits
    .p2align 12
    .skip 4 * STRIDE
    .globl exception_stack_top
exception_stack_top:
    .text

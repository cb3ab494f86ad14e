# hcall_words(words: *mut [u64; 10]): r3..r12 = words; `sc 1`; words = r3..r12. hcall_words_fallback: the same with the
# reserved instruction that stands for `sc 1` where that one reaches somebody else.
    .macro  HCALL_WORDS name:req, call:vararg
    FUNC \name
    mflr    %r0
    std     %r0, 16(%r1)
    std     %r31, -8(%r1)
    stdu    %r1, -128(%r1)
    mr      %r31, %r3
    .irp    n, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3
    ld      \n, (\n - 3) * 8(%r31)
    .endr
    \call
    .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
    std     \n, (\n - 3) * 8(%r31)
    .endr
    addi    %r1, %r1, 128
    ld      %r31, -8(%r1)
    ld      %r0, 16(%r1)
    mtlr    %r0
    blr
    .endm
    HCALL_WORDS hcall_words, sc 1
    HCALL_WORDS hcall_words_fallback, .long 0x7c000268

# kvm_words(words: *mut [u64; 9], stub: *const u32): r3..r11 = words; call the stub; words = r3..r11.
    FUNC kvm_words
    mflr    %r0
    std     %r0, 16(%r1)
    std     %r31, -8(%r1)
    stdu    %r1, -128(%r1)
    mr      %r31, %r3
    mtctr   %r4
    .irp    n, 11, 10, 9, 8, 7, 6, 5, 4, 3
    ld      \n, (\n - 3) * 8(%r31)
    .endr
    bctrl
    .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11
    std     \n, (\n - 3) * 8(%r31)
    .endr
    addi    %r1, %r1, 128
    ld      %r31, -8(%r1)
    ld      %r0, 16(%r1)
    mtlr    %r0
    blr

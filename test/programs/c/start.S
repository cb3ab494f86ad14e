/* Entered at _start in the mode of the ELF file, without a stack; the end is a system call with r3 = the lines. */
    .globl _start
    .text
_start:
    lis     1, stack_top@ha
    addi    1, 1, stack_top@l
    li      0, 0
#ifdef __powerpc64__
    lis     2, .TOC.@ha
    addi    2, 2, .TOC.@l
    lis     13, thread_end@ha
    addi    13, 13, thread_end@l
    stdu    0, -112(1)
    bl      run
    nop
#else
    stwu    0, -32(1)
    bl      run
#endif
    sc

    .bss
    .balign 16
    .space  0x40000
stack_top:
    .space  0x200
/* The thread control block lies 0x7000 below the thread pointer. */
    .space  0x7000
thread_end:
#ifdef __powerpc64__
#if _CALL_ELF == 2
    .abiversion 2
#endif
#endif
    .section .note.GNU-stack, "", @progbits

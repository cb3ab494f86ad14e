/* run_case(slot): takes all registers from IN, jumps to the slot, and comes back with all registers in OUT.
 * exit_case is where a case goes when it ends, by its last branch or by way of a signal handler. */

#include "layout.h"

        .machine power9
        .text
#if _CALL_ELF == 2
        .globl run_case
        .type run_case,@function
run_case:
#else
        .section .opd,"aw"
        .align 3
        .globl run_case
        .type run_case,@function
run_case:
        .quad .Lrun, .TOC.@tocbase, 0
        .text
.Lrun:
#endif
        mflr 0
        std 0,16(1)
        mfcr 0
        std 0,8(1)
        stdu 1,-256(1)
        .set n,14
        .rept 18
        std n,n*8(1)
        .set n,n+1
        .endr
        std 1,HOST(0)
        std 2,HOST+8(0)
        std 13,HOST+16(0)

        li 4,HOST+32            /* no reservation survives from one case to the next */
        stdcx. 4,0,4
        mtctr 3
        li 4,VSCR-8+IN          /* doubleword 1 holds VSCR in word 3 */
        lxvd2x 32,0,4
        mtvscr 0
        lfd 0,FPSCR+IN(0)
        mtfsf 255,0,1,0
        .set n,0
        .rept 64
        li 4,IN+VSR+16*n
        lxvd2x n,0,4
        .set n,n+1
        .endr
        ld 4,IN+VRSAVE(0)
        mtspr 256,4
        ld 4,IN+TAR(0)
        mtspr 815,4
        ld 4,IN+LR(0)
        mtlr 4
        ld 4,IN+XER(0)
        mtxer 4
        ld 4,IN+CR(0)
        mtcrf 255,4
        .set n,0
        .rept 32
        .if n != 12
        ld n,IN+8*n(0)
        .endif
        .set n,n+1
        .endr
        bctr                    /* the slot's preamble loads CTR and r12 */

.Lexit:
        .set n,0
        .rept 32
        std n,OUT+8*n(0)
        .set n,n+1
        .endr
        mfcr 4
        std 4,OUT+CR(0)
        mfxer 4
        std 4,OUT+XER(0)
        mflr 4
        std 4,OUT+LR(0)
        mfctr 4
        std 4,OUT+CTR(0)
        mfspr 4,815
        std 4,OUT+TAR(0)
        mfspr 4,256
        std 4,OUT+VRSAVE(0)
        .set n,0
        .rept 64
        li 4,OUT+VSR+16*n
        stxvd2x n,0,4
        .set n,n+1
        .endr
        mffs 0
        stfd 0,OUT+FPSCR(0)
        mfvscr 0
        li 4,HOST+32
        stxvd2x 32,0,4
        ld 4,HOST+40(0)
        std 4,OUT+VSCR(0)
        xxlxor 0,0,0
        mtfsf 255,0,1,0

        ld 1,HOST(0)
        ld 2,HOST+8(0)
        ld 13,HOST+16(0)
        .set n,14
        .rept 18
        ld n,n*8(1)
        .set n,n+1
        .endr
        addi 1,1,256
        ld 0,8(1)
        mtcrf 255,0
        ld 0,16(1)
        mtlr 0
        blr

        .data
        .align 3
        .globl exit_case
exit_case:
        .quad .Lexit
        .section .note.GNU-stack,"",@progbits

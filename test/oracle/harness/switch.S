/* run_case(slot): takes all registers from IN, jumps to the slot, and comes back with all registers in OUT.
 * exit_case is where a case goes when it ends, by its last branch or by way of a signal handler.
 *
 * FPU, VMX, VSX (which includes both) and SPE say which units the CPU has, TAR_SPR and SPR256 that it has TAR, and
 * VRSAVE or USPRG0. */

#include "layout.h"

        .macro function name
        .globl \name
        .type \name,@function
#if defined(__powerpc64__) && _CALL_ELF != 2
        .section .opd,"aw"
        .align 3
\name:
        .quad .L\name, .TOC.@tocbase, 0
        .text
.L\name:
#else
\name:
#endif
        .endm

        .macro get register, offset
        LOAD \register,\offset+LOW+IN(0)
        .endm

        .macro put register, offset
        STORE \register,\offset+LOW+OUT(0)
        .endm

        .text
        function _start
#if defined(__powerpc64__) && _CALL_ELF == 2
        addis 2,12,.TOC.-_start@ha
        addi 2,2,.TOC.-_start@l
#endif
        rlwinm 0,1,0,28,31
        subf 1,0,1
        li 0,0
#ifdef __powerpc64__
        stdu 0,-128(1)
#else
        stwu 0,-128(1)
#endif
        bl main
        nop
        li 0,1                  /* exit */
        sc

        function run_case
        mflr 0
#ifdef __powerpc64__
        std 0,16(1)
        stdu 1,-256(1)
#else
        stw 0,4(1)
        stwu 1,-256(1)
#endif
        mfcr 0
        STORE 0,96(1)
        .set n,14
        .rept 18
        STORE n,n*8(1)
        .set n,n+1
        .endr
        STORE 1,HOST(0)
        STORE 2,HOST+8(0)
        STORE 13,HOST+16(0)

        li 4,HOST+32            /* no reservation survives from one case to the next */
        stwcx. 4,0,4
        mtctr 3
#ifdef VSX
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
#else
#ifdef VMX
        li 4,VSCR+4+IN
        lvewx 0,0,4
        vspltw 0,0,1
        mtvscr 0
        .set n,0
        .rept 32
        li 4,IN+VSR+512+16*n
        lvx n,0,4
        .set n,n+1
        .endr
#endif
#ifdef FPU
        lfd 0,FPSCR+IN(0)
        mtfsf 255,0
        .set n,0
        .rept 32
        lfd n,IN+VSR+16*n(0)
        .set n,n+1
        .endr
#endif
#endif
#ifdef SPE
        lwz 4,ACC+IN(0)
        evmergelo 4,4,4
        lwz 4,ACC+4+IN(0)       /* leaves the upper word alone */
        evmra 4,4
        lwz 4,SPEFSCR+4+IN(0)
        mtspr 512,4
#endif
#ifdef SPR256
        get 4,VRSAVE
        mtspr 256,4
#endif
#ifdef TAR_SPR
        get 4,TAR
        mtspr 815,4
#endif
        get 4,LR
        mtlr 4
        get 4,XER
        mtxer 4
        get 4,CR
        mtcrf 255,4
        .set n,0
        .rept 32
#ifdef SPE
        lwz n,HIGH+4+8*n+IN(0)
        evmergelo n,n,n
#endif
        .if n != 12
        get n,8*n
        .endif
        .set n,n+1
        .endr
        bctr                    /* the slot's preamble loads CTR and r12 */

.Lexit:
        .set n,0
        .rept 32
        put n,8*n
        .set n,n+1
        .endr
        mfcr 4
        put 4,CR
        mfxer 4
        put 4,XER
        mflr 4
        put 4,LR
        mfctr 4
        put 4,CTR
#ifdef TAR_SPR
        mfspr 4,815
        put 4,TAR
#endif
#ifdef SPR256
        mfspr 4,256
        put 4,VRSAVE
#endif
#ifdef SPE
        .set n,0
        .rept 32
        .if n != 4
        evmergehi n,n,n
        stw n,HIGH+4+8*n+OUT(0)
        .endif
        .set n,n+1
        .endr
        evmergehi 4,4,4         /* its lower word has been lost, its upper word not */
        stw 4,HIGH+4+8*4+OUT(0)
        mfspr 4,512
        stw 4,SPEFSCR+4+OUT(0)
        evxor 4,4,4
        evmwumiaa 4,4,4         /* the accumulator plus nothing */
        stw 4,ACC+4+OUT(0)
        evmergehi 4,4,4
        stw 4,ACC+OUT(0)
#endif
#ifdef VSX
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
        lfd 0,HOST+64(0)
        mtfsf 255,0,1,0
#else
#ifdef VMX
        .set n,0
        .rept 32
        li 4,OUT+VSR+512+16*n
        stvx n,0,4
        .set n,n+1
        .endr
        mfvscr 0
        vspltw 0,0,3
        li 4,VSCR+4+OUT
        stvewx 0,0,4
#endif
#ifdef FPU
        .set n,0
        .rept 32
        stfd n,OUT+VSR+16*n(0)
        .set n,n+1
        .endr
        mffs 0
        stfd 0,OUT+FPSCR(0)
        li 4,0                  /* these CPUs have 32 bits of it */
        stw 4,OUT+FPSCR(0)
        lfd 0,HOST+64(0)
        mtfsf 255,0
#endif
#endif

        LOAD 1,HOST(0)
        LOAD 2,HOST+8(0)
        LOAD 13,HOST+16(0)
        .set n,14
        .rept 18
        LOAD n,n*8(1)
        .set n,n+1
        .endr
        LOAD 0,96(1)
        mtcrf 255,0
        addi 1,1,256
#ifdef __powerpc64__
        ld 0,16(1)
#else
        lwz 0,4(1)
#endif
        mtlr 0
        blr

        .data
        .align 3
        .globl exit_case
exit_case:
#ifdef __powerpc64__
        .quad .Lexit
#else
        .long .Lexit
#endif
        .section .note.GNU-stack,"",@progbits

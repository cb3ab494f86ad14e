# The first program of a Linux guest on e500v2: processes with different SPE state each check, across many switches,
# that it stays theirs. Says SPE-OK or SPE-BAD and switches the machine off. 32-bit system calls of Linux.
#
# A process of number ID keeps BASE = 0x5a000000 + (ID << 16) and holds
#   upper half of register n    BASE + n
#   accumulator                 the whole of r29: BASE + 29, complement of BASE
#   SPEFSCR                     r26: sticky flags (ID << 17) and rounding mode (ID & 3)
# r30, r28 and r27 are free between two checks but for their upper halves.

        .set    EXIT, 1
        .set    FORK, 2
        .set    WRITE, 4
        .set    WAITPID, 7
        .set    GETRUSAGE, 77
        .set    REBOOT, 88
        .set    YIELD, 158
        .set    SPEFSCR, 512

        .set    CHILDREN, 8
        .set    ROUNDS, 300
        # In 300 rounds a process is switched out this often at least.
        .set    SWITCHES, 100
        # Offsets of the two counts of switches in struct rusage.
        .set    VOLUNTARY, 64
        .set    INVOLUNTARY, 68

        .macro  syscall number
        li      r0, \number
        sc
        .endm

        # Sets the upper half of register n from BASE.
        .macro  fill n
        addi    r30, r31, \n
        evmergelo \n, r30, \n
        .endm

        .globl  _start
_start: li      r25, 0
fork:   addi    r25, r25, 1
        cmpwi   r25, CHILDREN
        bgt     parent
        syscall FORK
        cmpwi   r3, 0
        bne     fork
        b       work
parent: li      r25, 0

work:   slwi    r31, r25, 16
        addis   r31, r31, 0x5a00
        not     r29, r31
        slwi    r26, r25, 17
        rlwimi  r26, r25, 0, 30, 31
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,31
        fill    \n
        .endr
        fill    30
        evmra   r29, r29
        mtspr   SPEFSCR, r26
        li      r24, ROUNDS

        # Switches by the program's will, and long enough to be switched against it.
round:  syscall YIELD
        li      r30, 20000
        mtctr   r30
        bdnz    .

        evmergehi r30, r30, r30
        subf    r30, r31, r30
        cmpwi   r30, 30
        li      r3, 1
        bne     exit
        # What r3 lost was its lower half.
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,31
        evmergehi r30, \n, \n
        subf    r30, r31, r30
        cmpwi   r30, \n
        bne     exit
        .endr

        # The accumulator is read by adding a product of zeros to it.
        li      r3, 2
        evxor   r28, r28, r28
        evmwumiaa r27, r28, r28
        cmpw    r27, r29
        bne     exit
        evmergehi r27, r27, r27
        subf    r27, r31, r27
        cmpwi   r27, 29
        bne     exit

        li      r3, 3
        mfspr   r27, SPEFSCR
        cmpw    r27, r26
        bne     exit

        fill    27
        fill    28
        fill    30
        addi    r24, r24, -1
        cmpwi   r24, 0
        bne     round

        # Without switches nothing was shown.
        li      r3, 0
        lis     r4, usage@ha
        addi    r4, r4, usage@l
        mr      r23, r4
        syscall GETRUSAGE
        lwz     r30, VOLUNTARY(r23)
        lwz     r28, INVOLUNTARY(r23)
        add     r30, r30, r28
        cmpwi   r30, SWITCHES
        li      r3, 4
        blt     exit
        li      r3, 0

        # Children end with the number of what was wrong, 0 for nothing; their parent collects it.
exit:   cmpwi   r25, 0
        beq     collect
        syscall EXIT

collect: mr     r22, r3
        li      r24, CHILDREN
        lis     r23, usage@ha
        addi    r23, r23, usage@l
wait:   li      r3, -1
        mr      r4, r23
        li      r5, 0
        syscall WAITPID
        bso     bad
        lwz     r30, 0(r23)
        or      r22, r22, r30
        addi    r24, r24, -1
        cmpwi   r24, 0
        bne     wait
        cmpwi   r22, 0
        bne     bad
        lis     r4, ok@ha
        addi    r4, r4, ok@l
        b       tell
bad:    lis     r4, not_ok@ha
        addi    r4, r4, not_ok@l
tell:   li      r3, 1
        li      r5, 8
        syscall WRITE
        # LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF
        lis     r3, 0xfee1
        ori     r3, r3, 0xdead
        lis     r4, 0x2812
        ori     r4, r4, 0x1969
        lis     r5, 0x4321
        ori     r5, r5, 0xfedc
        syscall REBOOT
        b       .

        .section .rodata
ok:     .ascii  "SPE-OK \n"
not_ok: .ascii  "SPE-BAD\n"

        .bss
        .balign 8
usage:  .space  256

/* One instruction over and over, as the kernel of a bare machine: what its exit costs. EXIT is the instruction, with what
 * it needs in registers before it. Prints the least ticks of a window of CALLS of it, as 16 hexadecimal digits. */
        .machine power8
        .set    CALLS, 20000
        .set    WINDOWS, 100
        .set    H_PUT_TERM_CHAR, 0x58

        .globl  _start
_start: li      %r20, WINDOWS
        li      %r24, -1
        lis     %r21, CALLS@h
        ori     %r21, %r21, CALLS@l
window: mtctr   %r21
        mftb    %r22
again:  EXIT
        bdnz    again
        mftb    %r23
        subf    %r23, %r22, %r23
        cmpld   %r23, %r24
        bge     longer
        mr      %r24, %r23
longer: addic.  %r20, %r20, -1
        bne     window

        li      %r20, 2
digits: li      %r21, 8
digit:  rldicl  %r24, %r24, 4, 0
        clrldi  %r22, %r24, 60
        cmpldi  %r22, 10
        addi    %r22, %r22, '0'
        blt     number
        addi    %r22, %r22, 'a' - '0' - 10
number: sldi    %r7, %r7, 8
        or      %r7, %r7, %r22
        addic.  %r21, %r21, -1
        bne     digit
        addic.  %r20, %r20, -1
        beq     print
        mr      %r6, %r7
        b       digits
print:  li      %r3, H_PUT_TERM_CHAR
        li      %r4, 0
        li      %r5, 16
        sc      1
        li      %r3, H_PUT_TERM_CHAR
        li      %r5, 1
        li      %r6, '\n'
        sldi    %r6, %r6, 56
        sc      1
        b       .

# ELFv2 (little-endian): a function's symbol names its code.
    .macro FUNC name
    .text
    .globl \name
    .type \name, @function
\name:
    .endm

# One instruction word stored most significant byte first, for a processor still in big-endian mode.
    .macro BE_WORD word
    .byte (\word >> 24) & 255, (\word >> 16) & 255, (\word >> 8) & 255, \word & 255
    .endm

# Entered little-endian, the first word is `tdi 0,r0,72`, which never traps; entered big-endian the same
# bytes read `b .+8`. The big-endian path sets SF and LE by rfid and arrives at the common code.
    .macro ENTER_OWN_BYTE_ORDER
    .long 0x08000048
    b .Lown_order\@
    BE_WORD 0x429f0005          # bcl 20,31,.+4
    BE_WORD 0x7d6802a6          # mflr r11
    BE_WORD 0x396b0024          # addi r11,r11,.Lown_order\@ - (. - 4)
    BE_WORD 0x7d4000a6          # mfmsr r10
    BE_WORD 0x614a0001          # ori r10,r10,LE
    BE_WORD 0x39800001          # li r12,1
    BE_WORD 0x798af80e          # rldimi r10,r12,63,0 (SF)
    BE_WORD 0x7d7a03a6          # mtsrr0 r11
    BE_WORD 0x7d5b03a6          # mtsrr1 r10
    BE_WORD 0x4c000024          # rfid
.Lown_order\@:
    .endm
